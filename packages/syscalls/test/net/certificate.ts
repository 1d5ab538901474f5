/** certificate.ts: a key and a certificate for localhost that signs itself, made by the openssl command for this run only. */
import { execFileSync } from 'node:child_process';

let made: { key: string; cert: string } | undefined;

export function certificate(): { key: string; cert: string } {
  if (made === undefined) {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', '-'];
    const pem = execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-days', '2'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const at = pem.indexOf('-----BEGIN CERTIFICATE');
    made = { key: pem.slice(0, at), cert: pem.slice(at) };
  }
  return made;
}
