/** There is a directory /lost+found. */
import type { Check } from '../check.ts';

export const lostAndFoundExists: Check = {
  name: 'lost+found missing',
  run({ lostAndFound, findings }) {
    const done = lostAndFound.ensure();
    if (done === 'created') findings.repaired(this.name, 'There was no directory /lost+found');
    if (done === 'replaced') findings.repaired(this.name, '/lost+found was no directory: it has been renamed');
  },
};
