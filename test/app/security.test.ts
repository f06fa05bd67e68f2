import { describe, expect, test } from 'vitest';
import { contentSecurityPolicy, pageHeaders } from '../../preload/contract/policy.ts';
import {
  appSchemePrivileges,
  appUrl,
  isAppUrl,
  isExternalLink,
  isTrustedSender,
  webPreferences,
} from '../../main/app/security.ts';

describe('a window', () => {
  test('has every preference of Electron’s security checklist at its safe value', () => {
    expect(webPreferences).toEqual({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    });
  });

  test('is served under a secure origin that cannot bypass the content security policy', () => {
    expect(appSchemePrivileges).not.toHaveProperty('bypassCSP');
    expect(appSchemePrivileges).toMatchObject({ standard: true, secure: true });
  });
});

describe('the content security policy', () => {
  const directives = new Map(
    contentSecurityPolicy.split('; ').map((directive) => {
      const [name = '', ...sources] = directive.split(' ');
      return [name, sources.join(' ')];
    }),
  );

  test('allows scripts from the application’s own files only', () => {
    expect(directives.get('default-src')).toBe("'none'");
    expect(directives.get('script-src')).toBe("'self'");
    expect(directives.get('worker-src')).toBe("'self'");
  });

  test('loads no remote image, font or connection and allows no frame, base or form', () => {
    for (const sources of directives.values()) expect(sources).not.toMatch(/https?:|\*/);
    for (const name of ['frame-ancestors', 'base-uri', 'form-action']) {
      expect(directives.get(name)).toBe("'none'");
    }
  });

  test('travels with every answer, beside nosniff', () => {
    expect(pageHeaders).toMatchObject({
      'content-security-policy': contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
    });
  });
});

test('the page’s own files are told from everything else', () => {
  expect([appUrl, 'lathe://app/', 'LATHE://app/a?b#c'].map(isAppUrl)).toEqual([true, true, true]);
  const others = ['lathe://other/', 'lathe://app.evil/', 'http://app/', 'file:///app/', 'x', ''];
  expect(others.filter(isAppUrl)).toEqual([]);
});

test('only web and mail links without credentials leave for the browser', () => {
  const good = ['https://example.org/a?b#c', 'http://example.org', 'mailto:someone@example.org'];
  expect(good.filter(isExternalLink)).toEqual(good);
  const bad = [
    'javascript:alert(1)',
    'file:///etc/passwd',
    'smb://server/share',
    'ms-msdt:/id',
    'vbscript:x',
    'data:text/html,x',
    'lathe://app/',
    'https://user:password@example.org/',
    '//example.org',
    '',
  ];
  expect(bad.filter(isExternalLink)).toEqual([]);
});

test('messages are heard from the page’s top frame only', () => {
  const top = { url: appUrl, parent: null };
  expect(isTrustedSender(top)).toBe(true);
  expect(isTrustedSender({ url: appUrl, parent: top })).toBe(false);
  expect(isTrustedSender({ url: 'https://example.org/', parent: null })).toBe(false);
  expect(isTrustedSender(null)).toBe(false);
});
