import { createHash } from 'node:crypto';

/** The sha256 of bytes, or of a text as UTF-8, in hexadecimal. */
export const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');
