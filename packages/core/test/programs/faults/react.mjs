// Pages that React renders at once in several userthreads, whose components wait. See thread-local.test.ts and docs/thread-local.md.
import { createRequire } from 'node:module';
import { create, sleep, threadLocal } from '@libcr/core';
import { main } from '../check.mjs';

const require = createRequire(import.meta.url);
const React = require('react');
const { createElement: h, useContext, useState } = React;

/** react-dom/server keeps in variables of its own where it is in a page, so each page that is under way needs a copy. */
function server() {
  for (const path of Object.keys(require.cache))
    if (/[\\/]react-dom[\\/]/.test(path)) delete require.cache[path];
  return require('react-dom/server');
}

function pages(User) {
  const Leaf = ({ ms }) => {
    const [before] = useState('first');
    sleep(ms);
    const [after] = useState('second');
    return h('b', null, useContext(User), before, after);
  };
  const page = (user, ms, { renderToStaticMarkup }) =>
    renderToStaticMarkup(h(User.Provider, { value: user }, h(Leaf, { ms }), h(Leaf, { ms: 7 - ms })));
  const render = (user, i) => {
    const copy = server();
    return create(() => {
      try {
        return page(user, 2 * i + 1, copy);
      } catch (error) {
        return error.message;
      }
    }).finished;
  };
  return Promise.all(['ann', 'bob', 'cat'].map(render));
}

const own = ['ann', 'bob', 'cat'].map((user) => `<b>${user}firstsecond</b>`.repeat(2));

await main({
  async without() {
    const seen = await pages(React.createContext('nobody'));
    return seen.every((page, i) => page === own[i]);
  },

  async withThem() {
    // The current dispatcher, which React's hooks use, and the present value of each context.
    threadLocal(React.__CLIENT_INTERNALS_DO_NOT_USE_OR_WARN_USERS_THEY_CANNOT_UPGRADE, 'H');
    const User = React.createContext('nobody');
    threadLocal(User, '_currentValue');
    threadLocal(User, '_currentValue2');
    const seen = await pages(User);
    return seen.every((page, i) => page === own[i]) || seen;
  },
});
