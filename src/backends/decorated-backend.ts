import type { BackendSpec } from './backend-factory.ts';
import type { Backend } from './backend.ts';
import { Bandwidth, type BandwidthLimits } from './bandwidth/bandwidth.ts';
import { LimitedBackend } from './decorators/limited.ts';
import { LoggedBackend } from './decorators/logged.ts';
import { MeteredBackend } from './decorators/metered.ts';
import { logRetry, RetryingBackend, type StoreStateListener } from './decorators/retry.ts';
import type { RetryPolicy } from './decorators/retry-policy.ts';
import { ThrottledBackend } from './decorators/throttled.ts';
import { backendFactoryFor, openBackend } from './open-backend.ts';
import { StoreMetrics, type StoreMetricsSnapshot } from './store-metrics.ts';

/** A store as the program uses it, with what can be seen and changed of it while it works. */
export interface ConnectedBackend extends Backend {
  /** What its requests have come to so far. */
  metrics(): StoreMetricsSnapshot;
  /** Changes the limits that are given. Transfers under way that had no limit go on without. */
  setBandwidth(limits: BandwidthLimits): void;
}

export interface DecorationOptions {
  readonly open?: typeof openBackend;
  /** What is counted in. */
  readonly metrics?: StoreMetrics;
  /** Hears whether the store works. */
  readonly onState?: StoreStateListener;
}

/**
 * Opens a store (by `open`) in this thread, limited to its connections and its bandwidth, patient with failures, counted, with every request in the
 * debug log. A request that pauses before its next try takes nobody's turn.
 * @throws as BackendFactory.open: what only a person can cure is not tried for long
 */
export async function openDecorated(spec: BackendSpec, options: DecorationOptions = {}): Promise<ConnectedBackend> {
  const { open = openBackend, metrics = new StoreMetrics(), onState = () => {} } = options;
  const bandwidth = new Bandwidth(spec.bandwidthLimits);
  const store = await open({ ...spec, bandwidth });
  const throttled = backendFactoryFor(spec.url).wholeTransfers === true ? new ThrottledBackend(store, bandwidth) : store;
  const limited = new LimitedBackend(new MeteredBackend(throttled, metrics), spec.maxConnections, bandwidth);
  const policy = spec.giveUpAfterMs === undefined ? {} : { giveUpAfterMs: spec.giveUpAfterMs };
  return new DecoratedBackend(new LoggedBackend(limited), { policy, metrics, bandwidth, onState });
}

interface DecoratedOptions {
  readonly policy: Partial<RetryPolicy>;
  readonly metrics: StoreMetrics;
  readonly bandwidth: Bandwidth;
  readonly onState: StoreStateListener;
}

class DecoratedBackend extends RetryingBackend implements ConnectedBackend {
  readonly #metrics: StoreMetrics;
  readonly #bandwidth: Bandwidth;

  constructor(inner: Backend, { policy, metrics, bandwidth, onState }: DecoratedOptions) {
    super(inner, {
      policy,
      onRetry(event) {
        metrics.countRetry();
        logRetry(event);
      },
      onState,
    });
    this.#metrics = metrics;
    this.#bandwidth = bandwidth;
  }

  metrics(): StoreMetricsSnapshot {
    return this.#metrics.snapshot();
  }

  setBandwidth(limits: BandwidthLimits): void {
    this.#bandwidth.set(limits);
  }
}
