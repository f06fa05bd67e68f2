import { expect, test } from 'vitest';
import { menuTemplate } from '../../main/app/menu.ts';

const roles = (platform: string): unknown[] =>
  menuTemplate(platform).map((item) => item.role ?? item.submenu);

test('the menu follows the platform: its own first menu and no Quit under File on a Mac', () => {
  expect(roles('darwin').slice(0, 2)).toEqual(['appMenu', [{ role: 'close' }]]);
  expect(roles('linux')[0]).toEqual([{ role: 'quit' }]);
});

test.each(['darwin', 'linux', 'win32'])('on %s the menu takes no key from the page', (platform) => {
  const text = JSON.stringify(menuTemplate(platform));
  expect(text).not.toMatch(/accelerator|"reload"|"forceReload"/);
});
