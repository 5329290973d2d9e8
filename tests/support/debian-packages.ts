/** Debian packages that a test needs: installed when missing (as root), else the test fails and says what to install. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const SCRIPT = join(import.meta.dirname, '../../scripts/install-debian-packages.sh');

export function installDebianPackages(...packages: readonly string[]): void {
  execFileSync('sh', [SCRIPT, ...packages], { stdio: ['ignore', 'inherit', 'inherit'], timeout: 600_000 });
}
