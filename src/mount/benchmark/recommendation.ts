/** Which settings give the most, from what was measured. Data passes through mount, compression and upload at once: the slowest decides. */
import type { CompressionSpec } from '../../envelope/compression-spec.ts';

export interface CompressionRate {
  readonly compression: CompressionSpec;
  /** Of plain data, by one thread. */
  readonly bytesPerSecond: number;
  /** Stored size by plain size. */
  readonly ratio: number;
}

export interface UploadRate {
  readonly connections: number;
  /** Of stored data, by all connections together. */
  readonly bytesPerSecond: number;
}

export interface Measurements {
  /** Undefined: the kernel lets nobody mount here. */
  readonly mountBytesPerSecond: number | undefined;
  /** One at least. */
  readonly compressions: readonly CompressionRate[];
  /** One at least; by number of connections, ascending. */
  readonly uploads: readonly UploadRate[];
  readonly processorCount: number;
}

export interface Recommendation {
  readonly compression: CompressionSpec;
  readonly threads: number;
  readonly connections: number;
  /** Of plain data, in the long run. */
  readonly bytesPerSecond: number;
  readonly limitedBy: 'mount' | 'compression' | 'upload';
}

/** What is slower by no more than this is as good, if it takes less space. */
const GOOD_ENOUGH = 0.9;

export function recommend({ mountBytesPerSecond, compressions, uploads, processorCount }: Measurements): Recommendation {
  const upload = Math.max(...uploads.map(({ bytesPerSecond }) => bytesPerSecond));
  const connections = uploads.find(({ bytesPerSecond }) => bytesPerSecond >= upload * GOOD_ENOUGH)?.connections ?? 1;
  const candidates = compressions.map(({ compression, bytesPerSecond: perThread, ratio }) => {
    const others = Math.min(mountBytesPerSecond ?? Number.POSITIVE_INFINITY, upload / ratio);
    const bytesPerSecond = Math.min(others, perThread * processorCount);
    const limitedBy: Recommendation['limitedBy'] =
      bytesPerSecond < others ? 'compression' : others === mountBytesPerSecond ? 'mount' : 'upload';
    const threads = Math.min(processorCount, Math.max(1, Math.ceil(bytesPerSecond / perThread)));
    return { compression, threads, connections, bytesPerSecond, limitedBy, ratio };
  });
  const fastest = Math.max(...candidates.map(({ bytesPerSecond }) => bytesPerSecond));
  const [best] = candidates
    .filter(({ bytesPerSecond }) => bytesPerSecond >= fastest * GOOD_ENOUGH)
    .sort((one, other) => one.ratio - other.ratio || other.bytesPerSecond - one.bytesPerSecond);
  if (best === undefined) throw new RangeError('nothing was measured');
  const { ratio: _ratio, ...recommendation } = best;
  return recommendation;
}
