/**
 * Where the code of a worker thread is: beside the module that starts it, as TypeScript in a checkout and as JavaScript in the package.
 * `source` as in an import, e.g. `./snapshot-worker.ts`; `parentUrl` is the caller's `import.meta.url`.
 */
export function workerUrl(source: `./${string}.ts`, parentUrl: string): URL {
  return new URL(parentUrl.endsWith('.ts') ? source : source.replace(/\.ts$/, '.js'), parentUrl);
}
