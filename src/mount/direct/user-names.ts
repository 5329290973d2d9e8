/** Names of the users and groups of this machine, for listings. Sources: passwd(5), group(5). */
import { readFileSync } from 'node:fs';

/** A function that gives an id's name, or the number. */
export function namesFrom(path: '/etc/passwd' | '/etc/group'): (id: number) => string {
  const names = new Map<string, string>();
  for (const line of readLines(path)) {
    const [name, , id] = line.split(':');
    if (name !== undefined && id !== undefined && !names.has(id)) names.set(id, name);
  }
  return (id) => names.get(String(id)) ?? String(id);
}

/** Without the file there are only numbers. */
function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}
