/** latency.ts: how long answers take: a mean in which the last ones count most, and the longest. Milliseconds. */

/** What one measurement counts. */
const SHARE = 1 / 32;

export class Latency {
  mean = 0;
  longest = 0;
  private any = false;

  add(milliseconds: number): void {
    this.mean = this.any ? this.mean + (milliseconds - this.mean) * SHARE : milliseconds;
    this.any = true;
    if (milliseconds > this.longest) this.longest = milliseconds;
  }
}
