// entry.js: the module that script.ts links with the script and then runs on a userthread. 'lwkt:script' is
// the script: a resolve hook says so. Not TypeScript, as no type checker knows that specifier.
import 'lwkt:script';
