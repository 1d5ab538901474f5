// Imports the module with the path given, and prints what came of it. See load.test.ts.
import { pathToFileURL } from 'node:url';

try {
  const { run } = await import(pathToFileURL(process.argv[2]));
  console.log(JSON.stringify({ loaded: await run(() => 'runs') }));
} catch (error) {
  const { name, code, message, cause } = error;
  console.log(JSON.stringify({ name, code, message, cause: cause?.message ?? null }));
}
