/** Writes the command reference, manual pages and completions, and takes away what no command has any more: node scripts/generate-docs.ts */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { documents } from './documents/documents.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = await documents();
for (const directory of ['docs/commands', 'man', 'completions']) {
  mkdirSync(join(root, directory), { recursive: true });
  for (const name of readdirSync(join(root, directory))) {
    if (!files.has(`${directory}/${name}`)) rmSync(join(root, directory, name));
  }
}
for (const [path, text] of files) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
