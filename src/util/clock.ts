/**
 * Wall-clock time in nanoseconds that never runs backwards between two calls unless the system's clock was set back: Date.now() has the
 * right base but only milliseconds, hrtime has the resolution.
 */
export type NanosecondClock = () => bigint;

const MAX_DRIFT_NS = 2_000_000n;

export function systemClock(): NanosecondClock {
  let offsetNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
  let lastNs = 0n;
  return () => {
    const wallNs = BigInt(Date.now()) * 1_000_000n;
    let nowNs = process.hrtime.bigint() + offsetNs;
    const driftNs = nowNs - wallNs;
    if (driftNs > MAX_DRIFT_NS || driftNs < -MAX_DRIFT_NS) {
      // The system's clock was set (or drifted): follow it, backwards too.
      offsetNs += wallNs - nowNs;
      nowNs = wallNs;
    } else if (nowNs <= lastNs) {
      nowNs = lastNs + 1n;
    }
    lastNs = nowNs;
    return nowNs;
  };
}
