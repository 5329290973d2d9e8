import { DelayedBackend } from '../../src/backends/decorators/delayed.ts';
import { FaultyBackend, randomFaults } from '../../src/backends/decorators/faulty.ts';
import { LimitedBackend } from '../../src/backends/decorators/limited.ts';
import { LoggedBackend } from '../../src/backends/decorators/logged.ts';
import { Bandwidth } from '../../src/backends/bandwidth/bandwidth.ts';
import { parseRateSchedule } from '../../src/backends/bandwidth/rate-schedule.ts';
import { ThrottledBackend } from '../../src/backends/decorators/throttled.ts';
import { StoreMetrics } from '../../src/backends/store-metrics.ts';
import { MeteredBackend } from '../../src/backends/decorators/metered.ts';
import { RetryingBackend } from '../../src/backends/decorators/retry.ts';
import { MemoryBackend } from '../../src/backends/memory-backend.ts';
import { backendConformance } from './conformance.ts';

backendConformance('a limited store', async () => new LimitedBackend(new MemoryBackend(), 2));
backendConformance('a metered store', async () => new MeteredBackend(new MemoryBackend(), new StoreMetrics()));
backendConformance('a logged store', async () => new LoggedBackend(new MemoryBackend()));
backendConformance('a delayed store', async () => new DelayedBackend(new MemoryBackend(), 1));
backendConformance('a store without faults', async () => new FaultyBackend(new MemoryBackend()));

// A third of all requests fail, half of these after they were done: whoever retries must not notice.
const plan = randomFaults(20_260_726, 0.3, [{ kind: 'fail' }, { kind: 'lose-reply' }]);
const fast = { policy: { firstDelayMs: 1, maxDelayMs: 1 }, onRetry: () => undefined, onManyRetries: () => undefined };
backendConformance(
  'a store that fails often, with retries,',
  async () => new RetryingBackend(new FaultyBackend(new MemoryBackend(), plan), fast),
);
backendConformance(
  'a throttled store',
  async () => new ThrottledBackend(new MemoryBackend(), new Bandwidth({ upload: parseRateSchedule('1G') })),
);
