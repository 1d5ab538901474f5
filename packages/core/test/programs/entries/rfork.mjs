// See in-rfork.mjs.
import { create, curthread } from '@libcr/core';
import * as required from './requires.cjs';

export default function main() {
  const td = required.create(() => 42);
  return { same: required.create === create && required.curthread() === curthread(), answer: td.join() };
}
