import { LatheError } from '../../preload/contract/errors.ts';

/** Longest name of a file or folder, in bytes of UTF-8: the limit of ext4, APFS and NTFS. */
const LONGEST_SEGMENT = 255;

/** Longest path inside a folder, in bytes: leaves room for the folder within any system's limit. */
const LONGEST_PATH = 1024;

/** Device names that Windows gives a meaning in every folder, whatever follows the first dot. */
const RESERVED = /^(?:CON|PRN|AUX|NUL|COM[0-9¹²³]|LPT[0-9¹²³])(?:\.|$)/i;

/** Characters that cannot stand in a name on Windows; `:` would also open a second stream there. */
const FORBIDDEN = /[<>:"|?*]/;

/** A `/` on one system, part of a name on the other. */
const BACKSLASH = '\\';

/**
 * Checks a path that came from a file or the network and is to stay inside a folder, on every
 * system alike: `weights/model.bin` passes; absolute paths, `..`, drive letters, device names and
 * whatever a file system could read in two ways throw `path_refused`. `accepted` remembers the
 * paths of one folder, so that two of them never fall together where case or Unicode form do not
 * count.
 */
export function checkRelativePath(path: string, accepted = new Map<string, string>()): void {
  const reason = fault(path);
  if (reason !== null) throw refused(reason, path);
  const folded = path.normalize('NFC').toLowerCase();
  const other = accepted.get(folded) ?? path;
  if (other !== path) throw refused(`same file as ${JSON.stringify(other)} on some systems`, path);
  accepted.set(folded, path);
}

/** Checks the name of one folder likewise; a space before it, which nobody sees, is refused too. */
export function checkFolderName(name: string): void {
  checkRelativePath(name);
  if (name.includes('/')) throw refused('name has a slash', name);
  if (name.startsWith(' ')) throw refused('name begins with a space', name);
}

function fault(path: string): string | null {
  if (path === '') return 'path is empty';
  if (hasControlCharacter(path)) return 'path has a control character';
  if (path.includes(BACKSLASH)) return 'path has a backslash';
  if (path.startsWith('/')) return 'path is absolute';
  if (FORBIDDEN.test(path)) return 'path has a character that not every system allows';
  if (!path.isWellFormed()) return 'path is not Unicode';
  if (bytesOf(path) > LONGEST_PATH) return `path is longer than ${LONGEST_PATH} bytes`;
  for (const segment of path.split('/')) {
    const reason = segmentFault(segment);
    if (reason !== null) return reason;
  }
  return null;
}

function segmentFault(segment: string): string | null {
  if (segment === '') return 'path has an empty part';
  if (segment === '..') return 'path leaves its folder';
  if (segment.endsWith('.') || segment.endsWith(' ')) return 'name ends with a dot or space';
  if (RESERVED.test(segment)) return 'name belongs to a device';
  if (bytesOf(segment) > LONGEST_SEGMENT) return `name is longer than ${LONGEST_SEGMENT} bytes`;
  return null;
}

function hasControlCharacter(path: string): boolean {
  return /\p{Cc}/u.test(path);
}

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

const refused = (reason: string, path: string): LatheError =>
  new LatheError('path_refused', `${reason}: ${JSON.stringify(path.slice(0, 200))}`, {
    value: path.slice(0, 200),
  });
