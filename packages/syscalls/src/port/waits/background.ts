/**
 * background.ts: descriptors whose waits need not keep the event loop alive, as those of fs.watch(…, { persistent: false }).
 *
 * Invariant: at most one wait for such a descriptor is under way; who asks for it has it to himself.
 */

interface Wait {
  readonly done: boolean;
  setBackground(on: boolean): void;
}

const descriptors = new Map<number, { background: boolean; wait: Wait | undefined }>();

/** Whether waits for fd are in the background: the present one, and those to come. Until forgetBackground(fd). */
export function setBackground(fd: number, background: boolean): void {
  const known = descriptors.get(fd);
  if (known === undefined) {
    descriptors.set(fd, { background, wait: undefined });
    return;
  }
  known.background = background;
  if (known.wait?.done === false) known.wait.setBackground(background);
}

/** fd is to be closed. */
export function forgetBackground(fd: number): void {
  descriptors.delete(fd);
}

/** A wait for fd is about to begin. */
export function inBackground<W extends Wait>(fd: number, wait: W): W {
  const known = descriptors.size === 0 ? undefined : descriptors.get(fd);
  if (known !== undefined) {
    known.wait = wait;
    wait.setBackground(known.background);
  }
  return wait;
}
