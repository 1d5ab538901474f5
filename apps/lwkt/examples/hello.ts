import { curthread, sleep, wait } from '@libcr/core';

sleep(10); // no await: this userthread sleeps, and others run meanwhile
const word: string = wait(Promise.resolve('hello'));
console.log(`${word} from the userthread "${curthread().name}"`);
