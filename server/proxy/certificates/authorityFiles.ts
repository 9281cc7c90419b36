import { join } from 'node:path';

/** Where the certificate authority of this directory is kept. */
export function authorityFiles(directory: string): { caFile: string; keyFile: string; bundleFile: string } {
  return {
    caFile: join(directory, 'ca.pem'),
    keyFile: join(directory, 'ca.key'),
    bundleFile: join(directory, 'bundle.pem'),
  };
}
