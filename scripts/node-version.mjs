// Imported first by the entry files: it ends the process before a line of newer code can fail without a reason.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`This needs Node.js 20.19 or newer; here is ${process.versions.node}.`);
  process.exit(1);
}
