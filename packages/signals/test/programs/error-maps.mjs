/** error-maps.mjs: counts how often Node's table of all errors is made. To be imported before what is to be counted, which may keep the function. */
import { syncBuiltinESMExports } from 'node:module';
import util from 'node:util';

const { getSystemErrorMap } = util;

export const maps = { made: 0 };

util.getSystemErrorMap = () => {
  maps.made++;
  return getSystemErrorMap();
};
syncBuiltinESMExports();
