// One process of imports.mjs: imports what the command line names, one after the other, and says what the process has used so far.
for (const specifier of process.argv.slice(2)) await import(specifier);
const { user } = process.cpuUsage();
console.log(JSON.stringify({ user, rss: process.memoryUsage.rss() }));
