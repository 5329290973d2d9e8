import type { ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = {
  test: {
    projects: [
      // Beside the source, no mount, no server; all of it in well under a minute.
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'bench/**/*.test.ts'],
          setupFiles: ['tests/support/seed-fast-check.ts'],
          // On a machine that does much else besides, a thread takes its time to start.
          testTimeout: 60_000,
        },
      },
      // Real mounts, servers, long searches. One file at a time: they share the machine's mounts and cores.
      {
        test: {
          name: 'system',
          include: ['tests/**/*.test.ts'],
          setupFiles: ['tests/support/seed-fast-check.ts'],
          testTimeout: 600_000,
          // Hooks install Debian packages and start servers.
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
};

export default config;
