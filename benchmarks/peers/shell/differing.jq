# Pages of files come one by one as input, the answers to the list calls are in $lists. Gives a line a page that differs:
# its id, a tab, the body of the PATCH: the fields that the file has and that differ. Ends with an error at a page that
# is not live.
(reduce $lists[].data[] as $page ({}; .[$page.id] = $page)) as $live
| inputs
| . as $file
| ($live[$file.id] // error("no live page has the id \($file.id)")) as $page
| [("title", "description", "page_data") as $field | select(($file | has($field)) and $file[$field] != $page[$field])
   | {key: $field, value: $file[$field]}]
| select(length > 0)
| "\($file.id)\t\(from_entries | tojson)"
