import { constants, sys } from '@libcr/syscalls';

const fd = sys.open(process.argv[2], constants.O_RDONLY);
console.log(sys.fstat(fd).size > 0 ? 'not empty' : 'empty');
sys.close(fd);
