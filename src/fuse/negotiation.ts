/**
 * INIT: what the kernel offers, what we ask for, what is agreed. A feature is in force only if both name it, so everything here degrades
 * by itself on older kernels; what was agreed is told to the file system.
 */
import { constants } from 'node:os';
import type { Handlers } from './handlers.ts';
import { featureBits, type Feature } from './abi/init-flags.ts';
import {
  MAX_REQUEST_OVERHEAD_BYTES,
  MIN_PROTOCOL_MINOR,
  MIN_READ_BUFFER_BYTES,
  OUT_HEADER_BYTES,
  PAGE_BYTES,
  PROTOCOL_MAJOR,
  PROTOCOL_MINOR,
} from './abi/protocol.ts';
import type { Message } from './message.ts';
import type { ReplyBuffer } from './reply-buffer.ts';

export type Features = Readonly<Partial<Record<Feature, boolean>>>;

export interface NegotiationOptions {
  /** Differences from `defaultFeatures`. */
  readonly features?: Features;
  /** Largest WRITE and READ, a multiple of the page size; default 1 MiB. */
  readonly maxWriteBytes?: number;
  /** Most read-ahead; the kernel has the last word. */
  readonly maxReadaheadBytes?: number;
  /** How many asynchronous requests (read-ahead, direct I/O, write-back) the kernel keeps going at a time. */
  readonly maxBackground?: number;
  /** Granularity of the file system's times, a power of ten. */
  readonly timeGranularityNs?: number;
  /** With passthrough: how many stacked file systems may be below, 1 or 2. */
  readonly maxStackDepth?: number;
}

export interface Negotiated {
  /** Minor version in use: the lower of the kernel's and ours. */
  readonly minor: number;
  readonly kernelMinor: number;
  readonly features: Readonly<Record<Feature, boolean>>;
  readonly maxWriteBytes: number;
  readonly maxReadaheadBytes: number;
}

/** Asked for unless the options say otherwise: what no handler has to know about. */
export const defaultFeatures: Features = {
  asyncRead: true,
  bigWrites: true,
  readdirplus: true,
  readdirplusAuto: true,
  asyncDirectIo: true,
  parallelDirectoryOperations: true,
  abortError: true,
  maxPages: true,
  cacheSymlinks: true,
  setxattrExtended: true,
  initExtended: true,
  noOpen: true,
  noOpendir: true,
  expireOnly: true,
};

/** Features that need a handler. */
const featureHandlers: Readonly<Partial<Record<Feature, keyof Handlers>>> = {
  posixLocks: 'setlk',
  flockLocks: 'setlk',
  readdirplus: 'readdirplus',
  readdirplusAuto: 'readdirplus',
};

/** Bits that only the kernel sets, to tell what it can do. */
const toldByKernel: ReadonlySet<Feature> = new Set<Feature>(['noOpen', 'noOpendir', 'expireOnly']);

export const DEFAULT_MAX_WRITE_BYTES: number = 1024 * 1024;
const DEFAULT_MAX_BACKGROUND = 64;
const NO_READAHEAD_LIMIT = 0xffff_f000;

const INIT_IN_BYTES = 16;
const INIT_OUT_BYTES = 64;

/** Kernel and daemon have no version in common. */
export class NegotiationError extends Error {
  readonly errno: number = constants.errno.EPROTO;

  constructor(message: string) {
    super(message);
    this.name = 'NegotiationError';
  }
}

/** Size of the buffer with which the device must be read, for a largest WRITE. */
export function receiveSizeBytes(maxWriteBytes: number): number {
  return Math.max(MIN_READ_BUFFER_BYTES, maxWriteBytes + MAX_REQUEST_OVERHEAD_BYTES);
}

function hasBit(low: number, high: number, bit: number): boolean {
  return ((bit < 32 ? low >>> bit : high >>> (bit - 32)) & 1) !== 0;
}

/**
 * Reads INIT and writes its reply's body. Returns undefined if the kernel speaks a newer major version: it got ours and sends INIT anew.
 * Throws NegotiationError when there is no common ground.
 */
export function negotiate(message: Message, reply: ReplyBuffer, handlers: Handlers, options: NegotiationOptions): Negotiated | undefined {
  const body = OUT_HEADER_BYTES;
  reply.bytes.fill(0, body, body + INIT_OUT_BYTES);
  reply.uint32(body, PROTOCOL_MAJOR);
  reply.uint32(body + 4, PROTOCOL_MINOR);
  const major = message.uint32(0);
  const kernelMinor = message.uint32(4);
  if (major > PROTOCOL_MAJOR) return undefined;
  if (major < PROTOCOL_MAJOR || kernelMinor < MIN_PROTOCOL_MINOR) {
    throw new NegotiationError(
      `The kernel speaks FUSE ${major}.${kernelMinor}; ${PROTOCOL_MAJOR}.${MIN_PROTOCOL_MINOR} is the oldest supported`,
    );
  }
  message.require(INIT_IN_BYTES);
  const offeredLow = message.uint32(12);
  const initExtended = hasBit(offeredLow, 0, featureBits.initExtended);
  const offeredHigh = initExtended ? message.uint32(16) : 0;

  const wanted: Features = { ...defaultFeatures, ...options.features };
  const features: Partial<Record<Feature, boolean>> = {};
  const flags = new Uint32Array(2);
  for (const [name, bit] of Object.entries(featureBits) as [Feature, number][]) {
    const handler = featureHandlers[name];
    const agreed =
      wanted[name] === true && hasBit(offeredLow, offeredHigh, bit) && (handler === undefined || handlers[handler] !== undefined);
    features[name] = agreed;
    if (agreed && !toldByKernel.has(name)) flags[bit >>> 5] = (flags[bit >>> 5] ?? 0) | (1 << (bit & 31));
  }

  const minor = Math.min(kernelMinor, PROTOCOL_MINOR);
  const maxWriteBytes = features.maxPages ? (options.maxWriteBytes ?? DEFAULT_MAX_WRITE_BYTES) : MAX_WRITE_WITHOUT_MAX_PAGES_BYTES;
  const maxReadaheadBytes = Math.min(message.uint32(8), options.maxReadaheadBytes ?? NO_READAHEAD_LIMIT);
  const maxBackground = options.maxBackground ?? DEFAULT_MAX_BACKGROUND;
  reply.uint32(body + 4, minor);
  reply.uint32(body + 8, maxReadaheadBytes);
  reply.uint32(body + 12, flags[0] ?? 0);
  // max_background and congestion_threshold, 16 bits each.
  reply.uint32(body + 16, maxBackground | (Math.ceil((maxBackground * 3) / 4) << 16));
  reply.uint32(body + 20, maxWriteBytes);
  reply.uint32(body + 24, options.timeGranularityNs ?? 1);
  // max_pages, and map_alignment, which is for DAX.
  reply.uint32(body + 28, features.maxPages ? Math.ceil(maxWriteBytes / PAGE_BYTES) : 0);
  reply.uint32(body + 32, flags[1] ?? 0);
  reply.uint32(body + 36, features.passthrough ? (options.maxStackDepth ?? 1) : 0);
  return { minor, kernelMinor, features: features as Record<Feature, boolean>, maxWriteBytes, maxReadaheadBytes };
}

/** The kernel's limit of 32 pages where the number of pages can't be negotiated. */
const MAX_WRITE_WITHOUT_MAX_PAGES_BYTES = 32 * PAGE_BYTES;

/** Length of the reply to INIT: all of it, or the two versions if the kernel is to ask anew. */
export function initReplyBytes(negotiated: Negotiated | undefined): number {
  return OUT_HEADER_BYTES + (negotiated === undefined ? 8 : INIT_OUT_BYTES);
}

/** Throws for options that can't be: at start-up, not when the kernel asks. */
export function checkNegotiationOptions(options: NegotiationOptions): void {
  const { features = {}, maxWriteBytes = DEFAULT_MAX_WRITE_BYTES, maxBackground = DEFAULT_MAX_BACKGROUND, maxStackDepth = 1 } = options;
  if (maxWriteBytes < PAGE_BYTES || maxWriteBytes > 0xffff * PAGE_BYTES || maxWriteBytes % PAGE_BYTES !== 0) {
    throw new RangeError(`maxWriteBytes ${maxWriteBytes} is no multiple of ${PAGE_BYTES} that fits in 65535 pages`);
  }
  if (!(maxBackground >= 1 && maxBackground <= 0xffff)) throw new RangeError(`maxBackground ${maxBackground}`);
  if (!(maxStackDepth === 1 || maxStackDepth === 2)) throw new RangeError(`maxStackDepth ${maxStackDepth}`);
  if (features.passthrough && features.writebackCache) throw new RangeError('passthrough and writebackCache exclude each other');
  if (features.exportSupport && features.noExportSupport) throw new RangeError('exportSupport and noExportSupport exclude each other');
}
