/** Why a directory cannot be used, for people. */
export function directoryProblem(path: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return `${path} does not exist`;
    case 'ENOTDIR':
      return `${path} is not a directory`;
    case 'EACCES':
    case 'EPERM':
      return `${path} cannot be accessed: permission denied`;
    case 'ENOTCONN':
    case 'ECONNABORTED':
      return `the process that served ${path} has died: take the mount away with umount.s3ql, then mount again`;
    default:
      return `${path} cannot be used: ${message}`;
  }
}
