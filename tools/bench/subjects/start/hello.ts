// Type annotations, one line of output, and no import: what is measured is the start.
const who: string = 'world';
console.log(`hello ${who}`);
