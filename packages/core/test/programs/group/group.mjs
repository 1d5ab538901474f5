// group(): results, failures, aborts, the limit. See group/group.test.ts.
import { AsyncLocalStorage } from 'node:async_hooks';
import { inspect } from 'node:util';
import {
  create,
  curthread,
  Group,
  group,
  Msg,
  MsgPort,
  preemptible,
  run,
  sleep,
  userthreads,
  wait,
  yieldNow,
} from '@libcr/core';
import { all, caught, never } from './cases.mjs';

/** A child that notes how it has ended, and takes its time for that. */
const witness = (log, name) => () => {
  try {
    never();
  } catch (error) {
    log.push(`${name} ${error.name} ${error.cause?.message ?? error.cause}`);
    throw error;
  } finally {
    sleep(1); // cleaning up may wait
    log.push(`${name} is gone`);
  }
};

all({
  resultsOfChildren: () =>
    group((g) => {
      g.create(() => 'a');
      g.create(() => void sleep(2));
      g.create(async () => 'c');
    }),

  resultsOfBody: () => ({
    one: group((g) => g.create(() => 1)),
    several: group((g) => [g.create(() => sleep(2) ?? 'slow'), g.create(() => 'fast')]),
    itself: group((g) => g.create(() => 20).join() + 1),
    async: group(async (g) => {
      await null;
      return g.create(() => 'late');
    }),
    empty: group(() => {}),
    nothing: group(() => []),
    nil: group(() => null),
  }),

  async onTheEventLoop() {
    const promise = group((g) => {
      sleep(1); // the body may block
      g.create(() => 'x');
    });
    const failing = group(() => {
      throw new RangeError('no');
    }).catch((error) => error.message);
    return {
      promise: promise instanceof Promise,
      value: await promise,
      failure: await failing,
    };
  },

  childFails() {
    const log = [];
    const first = new Error('first');
    const error = caught(() =>
      group((g) => {
        g.create(witness(log, 'a'));
        g.create(() => {
          sleep(1);
          throw first;
        });
        g.create(witness(log, 'b'));
      }),
    );
    return { same: error === first, log, left: userthreads().length, suppressed: 'suppressed' in first };
  },

  bodyFails() {
    const log = [];
    const first = new Error('of the body');
    const error = caught(() =>
      group((g) => {
        g.create(witness(log, 'a'));
        yieldNow(); // it has begun
        throw first;
      }),
    );
    return { same: error === first, log, left: userthreads().length };
  },

  bodyFailsAtOnce() {
    const log = [];
    const error = caught(() =>
      group((g) => {
        g.create(() => log.push('never begins'));
        throw undefined;
      }),
    );
    return { thrown: error === undefined, log };
  },

  bodyIsInterrupted() {
    const log = [];
    const error = caught(() =>
      group((g) => {
        g.create(() => {
          throw new Error('of a child');
        });
        try {
          sleep(1_000_000);
        } catch (interruption) {
          log.push(interruption.name, interruption.cause.message);
          throw interruption;
        }
      }),
    );
    sleep(1); // the interruption is over with the group
    return { message: error.message, log, suppressed: error.suppressed ?? null };
  },

  bodyCatchesAndGoesOn() {
    const log = [];
    const error = caught(() =>
      group((g) => {
        g.create(() => {
          throw new Error('of a child');
        });
        caught(() => sleep(1_000_000));
        sleep(1);
        log.push('goes on', caught(() => g.create(() => {})).code);
        return 'whatever';
      }),
    );
    return { message: error.message, log };
  },

  bodyJoinsTheFailure() {
    let errors;
    const error = caught(() =>
      group((g) => {
        const td = g.create(() => {
          throw new Error('once');
        });
        try {
          return td.join();
        } finally {
          errors = g.errors;
        }
      }),
    );
    return { message: error.message, times: errors.length, suppressed: error.suppressed ?? null };
  },

  severalFail() {
    let handle;
    const error = caught(() =>
      group((g) => {
        handle = g;
        g.create(() => {
          sleep(1);
          throw new Error('one');
        });
        g.create(() => {
          caught(never);
          throw new Error('two');
        });
        g.create(() => {
          caught(never);
          throw 'three';
        });
      }),
    );
    return {
      first: error.message,
      suppressed: error.suppressed.map((other) => other.message ?? other),
      errors: handle.errors.map((other) => other.message ?? other),
      printed: /suppressed: \[/.test(inspect(error)),
    };
  },

  thrownValues: () => [
    caught(() => group((g) => void g.create(() => { throw 1; }))), // biome-ignore format: one line each
    caught(() => group((g) => void g.create(() => { throw undefined; }))) ?? 'undefined', // biome-ignore format: as above
    Object.isFrozen(
      caught(() =>
        group((g) => {
          // biome-ignore format: as above
          g.create(() => { throw Object.freeze(new Error('frozen')); });
          g.create(() => {
            caught(never);
            throw 2;
          });
        }),
      ),
    ),
  ],

  callerIsAborted() {
    const log = [];
    const td = create(() =>
      group((g) => {
        g.create(witness(log, 'a'));
        g.create(witness(log, 'b'));
      }),
    );
    sleep(1);
    td.abort('enough');
    const error = caught(() => td.join());
    return { name: error.name, cause: error.cause, log, left: userthreads().length };
  },

  callerIsAbortedInBody() {
    const log = [];
    const td = create(() =>
      group((g) => {
        g.create(witness(log, 'a'));
        sleep(1_000_000);
      }),
    );
    sleep(1);
    td.abort('enough');
    const error = caught(() => td.join());
    return { name: error.name, cause: error.cause, log, left: userthreads().length };
  },

  abortedWhileCreating() {
    const log = [];
    const td = create(() => {
      group((g) => {
        g.create(() => log.push('first'));
        curthread().abort('while it creates'); // pending: nothing here waits
        g.create(() => log.push('second'));
      });
    });
    const error = caught(() => td.join());
    return { name: error.name, cause: error.cause, log, left: userthreads().length };
  },

  ignoresAbort() {
    const log = [];
    const td = create(() =>
      group((g) => {
        g.create(() => {
          for (let i = 0; i < 3; i++) caught(() => sleep(2));
          log.push('the stubborn one is done');
        });
        never();
      }),
    );
    yieldNow();
    yieldNow();
    td.abort('enough');
    td.abort('and again'); // the same blocking call's
    sleep(1);
    td.abort('a third time'); // while it waits for the stubborn one
    const error = caught(() => td.join());
    log.push(`the group has ended: ${error.name}`);
    return { log, left: userthreads().length };
  },

  callerIsTerminated() {
    const log = [];
    const child = { td: undefined };
    const td = create(
      () =>
        group((g) => {
          child.td = g.create(witness(log, 'orphan'));
          yieldNow();
          for (;;);
        }),
      { preemptible: true, slice: 1 },
    );
    sleep(5);
    td.terminate('no more');
    const code = caught(() => td.join()).code;
    caught(() => child.td.join());
    return { code, log, left: userthreads().length };
  },

  signal() {
    const log = [];
    const controller = new AbortController();
    create(() => {
      sleep(1);
      controller.abort('by the signal');
    });
    const error = caught(() => group((g) => void g.create(witness(log, 'a')), { signal: controller.signal }));
    const again = caught(() => group(() => log.push('not called'), { signal: controller.signal }));
    return { name: error.name, cause: error.cause, again: again.cause, log };
  },

  timeout() {
    const log = [];
    const error = caught(() => group((g) => void g.create(witness(log, 'a')), { timeout: 1, name: 'short' }));
    return { name: error.name, code: error.code, message: error.message, log };
  },

  abortByHandle() {
    const log = [];
    const error = caught(() =>
      group((g) => {
        g.create(witness(log, 'a'));
        g.create(() => {
          sleep(1);
          g.abort('found it');
        });
      }),
    );
    return { name: error.name, cause: error.cause, log };
  },

  signalOfTheGroup() {
    let early;
    let late;
    const error = caught(() =>
      group((g) => {
        early = g.signal;
        g.create(() => {
          throw new Error('why');
        });
        caught(never);
        late = g.signal;
      }),
    );
    return { same: early === late, aborted: early.aborted, reason: early.reason === error };
  },

  oneIsAborted() {
    const result = group((g) => {
      const td = g.create(never);
      g.create(() => sleep(2) ?? 'goes on');
      yieldNow();
      td.abort('only this one');
    });
    return result.map((value) => value ?? 'aborted');
  },

  limit() {
    let running = 0;
    let most = 0;
    const order = [];
    group(
      (g) => {
        for (let i = 0; i < 10; i++)
          g.create(
            () => {
              most = Math.max(most, ++running);
              order.push(i);
              sleep(1);
              running--;
            },
            { name: `child ${i}` },
          );
        order.push(inspect(g));
      },
      { limit: 3, name: 'three' },
    );
    return { most, order };
  },

  limitOne() {
    const log = [];
    const values = group(
      (g) => {
        for (const name of ['a', 'b', 'c'])
          g.create(() => {
            log.push(`${name} begins`);
            yieldNow();
            sleep(1);
            log.push(`${name} ends`);
            return name;
          });
      },
      { limit: 1 },
    );
    return { values, log };
  },

  limitAndNesting() {
    // A child creates into its own group: nobody waits for a turn that can't come.
    const seen = [];
    group(
      (g) => {
        const visit = (depth) => {
          seen.push(depth);
          if (depth < 3) for (let i = 0; i < 2; i++) g.create(() => visit(depth + 1));
        };
        g.create(() => visit(0));
      },
      { limit: 1 },
    );
    return seen.length;
  },

  heldIsNeverBegun() {
    const log = [];
    const states = [];
    const error = caught(() =>
      group(
        (g) => {
          g.create(() => {
            sleep(1);
            throw new Error('the first');
          });
          const td = g.create(() => log.push('has begun'));
          states.push(td.state, td.waitReason);
          g.create(() => log.push('has begun'));
        },
        { limit: 1, name: 'narrow' },
      ),
    );
    return { message: error.message, log, states, left: userthreads().length };
  },

  heldIsAborted() {
    const log = [];
    const values = group(
      (g) => {
        let release;
        g.create(() => {
          wait(new Promise((resolve) => (release = resolve)));
          return 'first';
        });
        const td = g.create(() => log.push('has begun'));
        g.create(() => 'third');
        td.abort('not needed');
        caught(() => td.join());
        log.push(`gone while ${g.size} are left`);
        release();
      },
      { limit: 1 },
    );
    return { values: values.map((value) => value ?? null), log };
  },

  intoAnEndingGroup() {
    const codes = [];
    let handle;
    caught(() =>
      group((g) => {
        handle = g;
        g.create(() => {
          try {
            never();
          } catch {
            const refused = caught(() => g.create(() => codes.push('has begun')));
            codes.push(refused.code, refused.cause.message);
            throw refused;
          }
        });
        g.create(() => {
          throw new Error('the cause');
        });
      }),
    );
    codes.push(caught(() => handle.create(() => {})).code, handle.errors.length);
    return codes;
  },

  nested() {
    const log = [];
    const error = caught(() =>
      group((outer) => {
        outer.create(() => {
          sleep(1);
          throw new Error('of the outer');
        });
        group((inner) => {
          inner.create(witness(log, 'inner'));
        });
        log.push('not reached');
      }),
    );
    return { message: error.message, log, suppressed: error.suppressed ?? null, left: userthreads().length };
  },

  nestedFailure() {
    const log = [];
    const value = group((outer) => {
      let release;
      outer.create(() => {
        wait(new Promise((resolve) => (release = resolve)));
        log.push('the outer is unharmed');
      });
      const error = caught(() =>
        group((inner) => {
          inner.create(witness(log, 'inner'));
          inner.create(() => {
            throw new Error('of the inner');
          });
        }),
      );
      release();
      return error.message;
    });
    return { value, log };
  },

  asyncLocalStorage() {
    const storage = new AsyncLocalStorage();
    return storage.run('outer', () =>
      group(
        (g) => {
          g.create(() => sleep(1) ?? storage.getStore());
          storage.run('inner', () => g.create(() => sleep(1) ?? storage.getStore())); // waits for its turn
        },
        { limit: 1 },
      ),
    );
  },

  preemptibleChildren() {
    let others = 0;
    const values = group(
      (g) => {
        for (let i = 0; i < 3; i++)
          g.create(
            () => {
              const before = others;
              others++;
              while (others < 3); // ends only if the others have their turns
              return curthread().preemptions >= 0 && before < 3;
            },
            { preemptible: true, slice: 1, priority: 3, name: 'computes' },
          );
      },
      { limit: 3 },
    );
    return values;
  },

  preemptibleFails() {
    const error = caught(() =>
      preemptible(() =>
        group((g) => {
          g.create(
            () => {
              for (;;) yieldNow();
            },
            { preemptible: true, slice: 1 },
          );
          g.create(() => {
            throw new Error('first');
          });
        }),
      ),
    );
    return { message: error.message, left: userthreads().length };
  },

  daemon() {
    const port = new MsgPort('served');
    const log = [];
    const values = group((g) => {
      g.create(
        () => {
          try {
            for (const msg of port) msg.replymsg(undefined, msg.data + 1);
          } finally {
            log.push('the servant is gone');
          }
        },
        { daemon: true },
      );
      g.create(() => port.domsg(new Msg(1)));
    });
    return { values: values.map((value) => value ?? null), log };
  },

  options() {
    const names = [];
    group((g) => {
      g.create(() => names.push(curthread().name, curthread().priority), { name: 'named', priority: 20 });
      names.push(g instanceof Group, g.name, g.size);
    });
    const wrong = (...args) => caught(() => group(...args)).code;
    return {
      names,
      codes: [
        wrong(),
        wrong(() => {}, null),
        wrong(() => {}, { limit: 0 }),
        wrong(() => {}, { limit: 1.5 }),
        wrong(() => {}, { limit: '2' }),
        wrong(() => {}, { name: 2 }),
        wrong(() => {}, { signal: {} }),
        wrong(() => {}, { timeout: -1 }),
        wrong((g) => g.create()),
        wrong((g) => [g.create(() => sleep(1)), g.create('x')], { limit: 1 }),
      ],
    };
  },

  async handledWhateverHappens() {
    const unhandled = [];
    const note = (error) => unhandled.push(error.message);
    process.on('unhandledRejection', note);
    await run(() =>
      caught(() =>
        group((g) => {
          for (const name of ['a', 'b'])
            g.create(() => {
              throw new Error(name);
            });
        }),
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.off('unhandledRejection', note);
    return unhandled;
  },

  finishedOfAChild: () =>
    group((g) => {
      const td = g.create(() => 'as a promise');
      return wait(td.finished);
    }),
});
