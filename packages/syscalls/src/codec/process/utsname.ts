/** utsname.ts: struct new_utsname: six names of 65 bytes (uname(2)). */

export interface Utsname {
  sysname: string;
  nodename: string;
  release: string;
  version: string;
  machine: string;
  domainname: string;
}

const LENGTH = 65;

export function decodeUtsname(struct: Buffer): Utsname {
  const field = (i: number): string => {
    const bytes = struct.subarray(i * LENGTH, (i + 1) * LENGTH);
    const end = bytes.indexOf(0);
    return bytes.toString('utf8', 0, end < 0 ? LENGTH : end);
  };
  return {
    sysname: field(0),
    nodename: field(1),
    release: field(2),
    version: field(3),
    machine: field(4),
    domainname: field(5),
  };
}
