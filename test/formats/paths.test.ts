import { describe, expect, test } from 'vitest';
import { checkFolderName, checkRelativePath } from '../../main/formats/paths.ts';

const refused = expect.objectContaining({ code: 'path_refused' });

test.each([
  'model.onnx.data',
  'weights/layer 0/part.bin',
  'a'.repeat(255),
  'ünïcödé/模型.bin',
  '...x',
  'x..y',
  '.hidden',
  'CONSOLE',
  'COM10',
  'aux-weights.bin',
  `${'a/'.repeat(511)}bc`,
])('%s stays inside its folder', (path) => {
  expect(() => checkRelativePath(path)).not.toThrow();
});

test.each([
  ['nothing', ''],
  ['the folder itself', '.'],
  ['its parent', '..'],
  ['a file of the parent', '../secret.bin'],
  ['a way out further on', 'x/../../secret.bin'],
  ['a way that comes back', 'x/../model.bin'],
  ['a part that says nothing', './model.bin'],
  ['an absolute path', '/etc/passwd'],
  ['two slashes', '//server/share/model.bin'],
  ['an empty part', 'a//b'],
  ['a folder', 'weights/'],
  ['a way out on Windows', '..\\secret.bin'],
  ['a folder on Windows', 'weights\\model.bin'],
  ['a share on Windows', '\\\\server\\share\\model.bin'],
  ['a device path on Windows', '\\\\?\\C:\\model.bin'],
  ['a drive', 'C:model.bin'],
  ['a drive with a slash', 'C:/model.bin'],
  ['a second stream on Windows', 'model.bin:hidden'],
  ['a URL', 'file:///etc/passwd'],
  ['NUL, where C ends a name', 'model.bin\0../x'],
  ['a line break', 'model\n.bin'],
  ['an escape', 'model\u001b[2J.bin'],
  ['delete', 'model\u007f.bin'],
  ['a C1 control character', 'model\u0085.bin'],
  ['a trailing dot, which Windows drops', 'model.bin.'],
  ['a trailing space, which Windows drops', 'model.bin '],
  ['a trailing dot of a folder', 'weights./model.bin'],
  ['CON', 'CON'],
  ['NUL in small letters with an ending', 'nul.bin'],
  ['a device in a folder', 'weights/COM1.data.bin'],
  ['a device with a raised digit', 'LPT²'],
  ['AUX', 'aux'],
  ['PRN', 'Prn.txt'],
  ['COM0', 'com0'],
  ['a star', '*/_ORT_MEM_ADDR_/*'],
  ['a question mark', 'model?.bin'],
  ['a quotation mark', 'model".bin'],
  ['a bar', 'a|b'],
  ['an angle', 'a<b'],
  ['half a character', 'model\ud800.bin'],
  ['a long name', 'a'.repeat(256)],
  ['a name long in bytes', 'ü'.repeat(128)],
  ['a long path', 'a/'.repeat(512) + 'b'],
])('refuses %s', (_, path) => {
  expect(() => checkRelativePath(path)).toThrow(refused);
});

describe('two paths of one folder', () => {
  test('may be the same or differ', () => {
    const accepted = new Map<string, string>();
    for (const path of ['a.bin', 'b.bin', 'a.bin']) checkRelativePath(path, accepted);
    expect([...accepted.values()]).toEqual(['a.bin', 'b.bin']);
  });

  test.each([
    ['case', 'a.bin', 'A.BIN'],
    ['Unicode form', '\u00fc.bin', 'u\u0308.bin'],
    ['case of a folder', 'x/a', 'X/a'],
  ])('may not differ in %s alone', (_, first, second) => {
    const accepted = new Map<string, string>();
    checkRelativePath(first, accepted);
    expect(() => checkRelativePath(second, accepted)).toThrow(refused);
  });
});

test('a folder has a name without slashes, and no space before it', () => {
  expect(() => checkFolderName('.hidden name')).not.toThrow();
  for (const name of ['a/b', ' a', 'a ', '', '..']) {
    expect(() => checkFolderName(name)).toThrow(refused);
  }
  expect(() => checkRelativePath('weights/ a')).not.toThrow();
});
