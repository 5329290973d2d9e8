/** Run by local.test.ts with a directory that has room for one object of 400,000 bytes, not for two of 900,000: prints what stores come to. */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { backendSpec, openBackend } from '../../src/backends/open-backend.ts';

const directory = process.argv[2] ?? '';
await using store = await openBackend(backendSpec({ url: `local://${directory}` }));

const put = (key: string, sizeBytes: number): Promise<string> =>
  store.store(key, {}, [randomBytes(sizeBytes)]).then(
    () => 'done',
    (error: Error) => error.name,
  );

const outcomes: unknown[] = [await put('s3ql_data_1', 400_000), await put('s3ql_data_2', 900_000), await put('s3ql_data_1', 900_000)];
outcomes.push(`${(await store.fetch('s3ql_data_1')).payload.byteLength} bytes`, readdirSync(join(directory, 's3ql_data_')));
outcomes.push(await store.delete('s3ql_data_1').then(() => 'done'), await put('s3ql_data_2', 900_000));
process.stdout.write(JSON.stringify(outcomes));
