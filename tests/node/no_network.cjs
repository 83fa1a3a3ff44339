// Loaded before a program of node: whom it wanted to reach stands on its standard error, and it reaches nobody.
'use strict';
const dns = require('node:dns');
const net = require('node:net');

function refuse(host) {
  process.stderr.write(`reached for ${host}\n`);
  throw new Error(`no network in here: ${host}`);
}

net.Socket.prototype.connect = function connect(...options) {
  const [first] = options.flat();
  refuse(first?.host ?? first?.path ?? first);
};
dns.lookup = refuse;
