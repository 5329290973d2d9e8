import { expect, test } from 'vitest';
import { recommend } from './recommendation.ts';

const MB = 1e6;
const none = { compression: { algorithm: 'none', level: 0 }, bytesPerSecond: 500 * MB, ratio: 1 } as const;
const zlib = { compression: { algorithm: 'zlib', level: 6 }, bytesPerSecond: 40 * MB, ratio: 0.5 } as const;
const lzma = { compression: { algorithm: 'lzma', level: 6 }, bytesPerSecond: 4 * MB, ratio: 0.4 } as const;
const compressions = [none, zlib, lzma];

test('a slow store is worth the best compression, with no more threads than it needs', () => {
  const uploads = [
    { connections: 1, bytesPerSecond: 1 * MB },
    { connections: 2, bytesPerSecond: 2 * MB },
    { connections: 4, bytesPerSecond: 2.1 * MB },
  ];
  expect(recommend({ mountBytesPerSecond: 300 * MB, compressions, uploads, processorCount: 8 })).toEqual({
    compression: lzma.compression,
    threads: 2,
    connections: 2,
    bytesPerSecond: (2.1 * MB) / 0.4,
    limitedBy: 'upload',
  });
});

test('where the processors are the limit, a faster compression is taken', () => {
  const uploads = [{ connections: 1, bytesPerSecond: 30 * MB }];
  expect(recommend({ mountBytesPerSecond: 300 * MB, compressions, uploads, processorCount: 1 })).toMatchObject({
    compression: zlib.compression,
    threads: 1,
    limitedBy: 'compression',
  });
});

test('where the mount is the limit, what takes least space of what is fast enough', () => {
  const uploads = [{ connections: 1, bytesPerSecond: 500 * MB }];
  expect(recommend({ mountBytesPerSecond: 60 * MB, compressions, uploads, processorCount: 2 })).toMatchObject({
    compression: zlib.compression,
    threads: 2,
    bytesPerSecond: 60 * MB,
    limitedBy: 'mount',
  });
});
