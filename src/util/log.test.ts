import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { addLogSink, logger, recordLogs, setLogLevels, type LogRecord } from './log.ts';

afterEach(() => setLogLevels({ level: 'info', debugModules: [] }));

test('messages carry module, level and values, and go to all sinks until these are disposed', () => {
  using recorded = recordLogs();
  const lines: string[] = [];
  const sink = addLogSink({ write: ({ message }) => void lines.push(message) });
  logger('blocks').warn('%d of %s', 3, 'many');
  sink[Symbol.dispose]();
  logger('blocks').info('later');
  expect(lines).toEqual(['3 of many']);
  expect(recorded.records).toMatchObject([
    { module: 'blocks', level: 'warn', message: '3 of many' },
    { module: 'blocks', level: 'info', message: 'later' },
  ]);
});

test('an error is kept with its stack and its causes', () => {
  using recorded = recordLogs();
  logger('blocks').error(new Error('outer', { cause: new Error('inner') }), 'upload failed');
  expect(recorded.records[0]?.message).toBe('upload failed');
  expect(recorded.records[0]?.errorText).toMatch(/outer[^]*log\.test\.ts[^]*inner/);
});

test('debug messages appear only for the modules that were named, from the moment they were', () => {
  using recorded = recordLogs();
  const debugAll = (): void => ['blocks', 'blocks/upload', 'blocksize'].forEach((name) => logger(name).debug('from %s', name));
  debugAll();
  setLogLevels({ level: 'info', debugModules: ['blocks'] });
  debugAll();
  expect(recorded.records.map(({ message }) => message)).toEqual(['from blocks', 'from blocks/upload']);
  expect(logger('blocks').isLevelEnabled('debug')).toBe(true);
  expect(logger('metadata').isLevelEnabled('debug')).toBe(false);
});

test('a sink gets only what is severe enough for it', () => {
  const levels: string[] = [];
  using _sink = addLogSink({ write: ({ level }) => void levels.push(level) }, 'warn');
  for (const level of ['info', 'warn', 'error'] as const) logger('x')[level]('message');
  expect(levels).toEqual(['warn', 'error']);
});

test('what a worker thread logs reaches the sinks of the main thread, at the levels set there', async () => {
  const records: LogRecord[] = [];
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  using _sink = addLogSink({
    write: (record) => {
      records.push(record);
      if (record.level === 'error') resolve();
    },
  });
  setLogLevels({ level: 'warn', debugModules: ['worker/fine'] });
  const source = `
    const { logger } = await import(${JSON.stringify(new URL('log.ts', import.meta.url).href)});
    logger('worker/fine').debug('detail');
    logger('worker/coarse').info('dropped');
    logger('worker/coarse').error(new Error('cause'), 'broken');
  `;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  await Promise.all([arrived, once(worker, 'exit')]);
  expect(records.map(({ module, message }) => `${module}: ${message}`)).toEqual(['worker/fine: detail', 'worker/coarse: broken']);
  expect(records[1]?.errorText).toContain('Error: cause');
});
