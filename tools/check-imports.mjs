// After a build, every package can be imported by its name from here, and required: by Node 20.19 and later, as the same module.
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const packages = join(import.meta.dirname, '..', 'packages');
const require = createRequire(import.meta.url);

for (const folder of readdirSync(packages)) {
  const { name, exports } = JSON.parse(readFileSync(join(packages, folder, 'package.json'), 'utf8'));
  for (const entry of Object.keys(exports).filter((key) => !key.endsWith('.json'))) {
    const specifier = join(name, entry);
    const imported = await import(specifier);
    const required = require(specifier);
    for (const key of Object.keys(imported))
      assert.equal(required[key], imported[key], `${specifier}: ${key}`);
    console.log(`${specifier}: ${Object.keys(imported).length} exports, the same imported and required`);
  }
}
