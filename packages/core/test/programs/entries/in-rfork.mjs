// An rfork whose module mixes import and require(). See entries.test.ts.
import { Rfork } from '@libcr/core';

const rfork = new Rfork(new URL('./rfork.mjs', import.meta.url));
console.log(JSON.stringify(await rfork.finished));
