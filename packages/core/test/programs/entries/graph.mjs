// An ES module whose imports are evaluated in this order: one in CommonJS that requires the package, and the package. See entries.test.ts.

import { create as imported } from '@libcr/core';
import { create as required } from './requires.cjs';

console.log(JSON.stringify({ same: required === imported }));
