/** races.mjs: functions whose outcome depends on the order of their userthreads: { race: what goes wrong with some, right: the same done right }. */
import { create, Serializer, sleep, Token, wait, yieldNow } from '@libcr/core';

const both = (...bodies) => {
  const tds = bodies.map((body, i) => create(body, { name: `t${i + 1}` }));
  for (const td of tds) td.join();
};

function mustBe(actual, expected) {
  if (actual !== expected) throw new Error(`${actual}, not ${expected}`);
}

/** Something that others may run during: what a read, a query or a fetch would be. */
const look = () => new Token('look').get().release();

export const lostUpdate = {
  race() {
    let number = 0;
    const add = () => {
      for (let i = 0; i < 3; i++) {
        const before = number;
        look();
        number = before + 1;
      }
    };
    both(add, add);
    mustBe(number, 6);
  },
  right() {
    let number = 0;
    const serializer = new Serializer('number');
    const add = () => {
      for (let i = 0; i < 3; i++) {
        const hold = serializer.enter();
        const before = number;
        look();
        number = before + 1;
        hold.release();
      }
    };
    both(add, add);
    mustBe(number, 6);
  },
};

export const orderViolation = {
  race() {
    let config;
    both(
      () => {
        look();
        config = { name: 'config' };
      },
      () => {
        look();
        mustBe(config.name, 'config');
      },
    );
  },
  right() {
    let config;
    const loads = create(() => {
      look();
      config = { name: 'config' };
    });
    both(() => {
      loads.join();
      mustBe(config.name, 'config');
    });
  },
};

const transfer = (first, second) => () => {
  for (let i = 0; i < 2; i++) {
    const outer = first.enter();
    const inner = second.enter();
    inner.release();
    outer.release();
  }
};

export const abba = {
  race() {
    const a = new Serializer('a');
    const b = new Serializer('b');
    both(transfer(a, b), transfer(b, a));
  },
  right() {
    const a = new Serializer('a');
    const b = new Serializer('b');
    both(transfer(a, b), transfer(a, b));
  },
};

/** A consumer that looks whether there is something, and then waits to be told of it. */
export const lostWakeUp = {
  race() {
    const items = [];
    let tell;
    both(
      () => {
        if (items.length === 0) {
          look();
          wait(new Promise((resolve) => (tell = resolve)));
        }
        mustBe(items.shift(), 'item');
      },
      () => {
        look();
        items.push('item');
        tell?.();
      },
    );
  },
  right() {
    const items = [];
    let tell;
    both(
      () => {
        look();
        if (items.length === 0) wait(new Promise((resolve) => (tell = resolve)));
        mustBe(items.shift(), 'item');
      },
      () => {
        look();
        items.push('item');
        tell?.();
      },
    );
  },
};

export const checkThenAct = {
  race() {
    let seats = 1;
    const sold = [];
    const buy = (who) => () => {
      if (seats > 0) {
        look();
        seats--;
        sold.push(who);
      }
    };
    both(buy('a'), buy('b'), buy('c'));
    mustBe(sold.length, 1);
  },
  right() {
    let seats = 1;
    const sold = [];
    const buy = (who) => () => {
      look();
      if (seats > 0) {
        seats--;
        sold.push(who);
      }
    };
    both(buy('a'), buy('b'), buy('c'));
    mustBe(sold.length, 1);
  },
};

/** Whoever finds the object sees it before it is whole. */
export const doubleCheckedLock = {
  race() {
    const lock = new Serializer('lock');
    let instance;
    const get = () => {
      if (instance === undefined) {
        const hold = lock.enter();
        if (instance === undefined) {
          instance = { value: 0 };
          look();
          instance.value = 42;
        }
        hold.release();
      }
      return instance;
    };
    const use = () => mustBe(get().value, 42);
    both(use, use, use);
  },
  right() {
    const lock = new Serializer('lock');
    let instance;
    const get = () => {
      if (instance === undefined) {
        const hold = lock.enter();
        if (instance === undefined) {
          look();
          instance = { value: 42 };
        }
        hold.release();
      }
      return instance;
    };
    const use = () => mustBe(get().value, 42);
    both(use, use, use);
  },
};

export const failsUnseen = {
  race() {
    create(() => {
      sleep(10);
      throw new TypeError('nobody sees it');
    });
  },
};

export const seenLate = {
  right() {
    const td = create(() => {
      throw new TypeError('somebody sees it');
    });
    sleep(1000);
    try {
      td.join();
    } catch {}
  },
};

export const endless = {
  race() {
    for (;;) yieldNow();
  },
};
