/** date.ts: what day it is: Date, Intl's formats of nothing, Temporal.Now. */
import type { Any, Patches, Reading } from './patches.ts';

function patchDate(patches: Patches, now: () => number): void {
  const { Date: RealDate } = globalThis;
  const wrapped: DateConstructor = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(
        target,
        args.length === 0 ? [now()] : args,
        newTarget === wrapped ? target : newTarget,
      ),
    apply: () => new RealDate(now()).toString(),
  });
  patches.method(RealDate, 'now', () => now);
  patches.replace(RealDate.prototype, 'constructor', () => ({ value: wrapped }));
  patches.replace(globalThis, 'Date', () => ({ value: wrapped }));
}

/** format and formatToParts show now where they are given nothing. Ranges have two dates. */
function patchIntl(patches: Patches, now: () => number): void {
  const { prototype } = Intl.DateTimeFormat;
  const known = new WeakMap<object, (date?: Any) => string>();
  patches.getter(
    prototype,
    'format',
    (real) =>
      function (this: Any) {
        const format = Reflect.apply(real, this, []) as (date?: Any) => string; // the same each time
        let standIn = known.get(format);
        if (standIn === undefined) {
          standIn = (date) => format(date === undefined ? now() : date);
          for (const key of ['name', 'length'] as const)
            Object.defineProperty(standIn, key, { value: format[key], configurable: true });
          known.set(format, standIn);
        }
        return standIn;
      },
  );
  patches.method(
    prototype,
    'formatToParts',
    (real) =>
      function (this: Any, date?: Any) {
        if (date === undefined) Reflect.apply(real, this, [0]); // throws for what is no format
        return Reflect.apply(real, this, [date === undefined ? now() : date]);
      },
  );
}

/** Nanoseconds since 1970, as text. */
function patchTemporal(patches: Patches, reading: Reading): void {
  const { Temporal } = globalThis as Any;
  if (Temporal === undefined) return;
  const { Now } = Temporal;
  const { instant, timeZoneId } = Now;
  const now = (): Any =>
    Temporal.Instant.fromEpochNanoseconds(
      BigInt(reading('Temporal.Now', () => String(instant.call(Now).epochNanoseconds))),
    );
  const zoned = (zone: Any = timeZoneId.call(Now)): Any => now().toZonedDateTimeISO(zone);
  const standIns: Record<string, (zone?: Any) => Any> = {
    instant: now,
    zonedDateTimeISO: zoned,
    plainDateTimeISO: (zone) => zoned(zone).toPlainDateTime(),
    plainDateISO: (zone) => zoned(zone).toPlainDate(),
    plainTimeISO: (zone) => zoned(zone).toPlainTime(),
  };
  for (const [name, standIn] of Object.entries(standIns))
    patches.method(Now, name, (real) => (...args) => {
      Reflect.apply(real, Now, args); // throws for what is no time zone
      return standIn(...args);
    });
}

export function patchDates(patches: Patches, reading: Reading): void {
  const real = Date.now;
  const now = (): number => reading('Date.now', real) as number;
  patchDate(patches, now);
  patchIntl(patches, now);
  patchTemporal(patches, reading);
}
