import type { Chromium } from './chromium.ts';
import type { FromPage, ToPage } from './page.ts';
import { worldScripts } from './worlds.ts';

/** What a page tells about itself. */
export interface TargetEvents {
  fromPage(message: FromPage): void;
  navigated(url: string): void;
  loaded(): void;
  /** A page-initiated navigation of the main frame; true lets it go on. */
  mayNavigate(url: string): boolean;
  /** window.open or a link to a new window; true lets it open. */
  mayOpen(url: string): boolean;
  /** The document is gone, and with it everything that ran in it. */
  contextLost(): void;
  crashed(): void;
}

/** One page of Chromium with a preload script in an isolated world. */
export interface Target {
  readonly id: string;
  /** Whether the last window that the page asked for may stay. */
  readonly mayKeepPopup: boolean;
  navigate(url: string): Promise<void>;
  reload(): void;
  /** Reaches the isolated world; waits for it if need be. */
  post(message: ToPage): void;
  evaluate(expression: string): Promise<unknown>;
  close(): void;
}

const world = 'electron-preload';

/** Opens a blank page, ready for its first navigation. */
export async function openTarget(
  chromium: Chromium,
  options: { width: number; height: number; preload: string | undefined },
  events: TargetEvents,
): Promise<Target> {
  const { width, height } = options;
  const { targetId } = await chromium.send<{ targetId: string }>('Target.createTarget', {
    url: 'about:blank',
    newWindow: true,
    width,
    height,
  });
  const { sessionId } = await chromium.send<{ sessionId: string }>('Target.attachToTarget', {
    targetId,
    flatten: true,
  });
  const send = <T>(method: string, params: object = {}): Promise<T> =>
    chromium.send<T>(method, params, sessionId);

  let context: number | null = null;
  let waiting: ToPage[] = [];
  let ownNavigation = false;
  let mayKeepPopup = false;

  const post = (message: ToPage): void => {
    if (context === null) return void waiting.push(message);
    const call = {
      functionDeclaration: 'function (text) { standInReceive(text); }',
      arguments: [{ value: JSON.stringify(message) }],
      executionContextId: context,
    };
    // The document may go while the message is on its way: it is lost, as in Electron.
    send('Runtime.callFunctionOn', call).catch(() => undefined);
  };

  const enter = (id: number): void => {
    context = id;
    const messages = waiting;
    waiting = [];
    messages.forEach(post);
  };

  const decideNavigation = (request: { requestId: string; url: string; frameId: string }): void => {
    const own = ownNavigation || request.frameId !== targetId;
    ownNavigation = false;
    const { requestId } = request;
    if (own || events.mayNavigate(request.url)) void send('Fetch.continueRequest', { requestId });
    else void send('Fetch.failRequest', { requestId, errorReason: 'Aborted' });
  };

  const handlers: Record<string, (params: never) => void> = {
    'Runtime.executionContextCreated': (params: {
      context: { id: number; name: string; auxData: { frameId: string } };
    }) => {
      const { id, name, auxData } = params.context;
      if (name === world && auxData.frameId === targetId) enter(id);
    },
    'Runtime.executionContextsCleared': () => {
      if (context === null) return;
      context = null;
      events.contextLost();
    },
    'Runtime.bindingCalled': (params: { payload: string; executionContextId: number }) => {
      // Who speaks is there, even if the end of the document before was reported late.
      enter(params.executionContextId);
      events.fromPage(JSON.parse(params.payload) as FromPage);
    },
    'Page.frameNavigated': (params: { frame: { url: string; parentId?: string } }) => {
      if (params.frame.parentId === undefined) events.navigated(params.frame.url);
    },
    'Page.loadEventFired': () => events.loaded(),
    'Fetch.requestPaused': (params: {
      requestId: string;
      frameId: string;
      request: { url: string };
    }) =>
      decideNavigation({
        requestId: params.requestId,
        frameId: params.frameId,
        url: params.request.url,
      }),
    'Page.frameRequestedNavigation': (params: { frameId: string; url: string }) => {
      // Chromium's network never sees these; nor can they be held up, only reported.
      if (params.frameId === targetId && !/^https?:/.test(params.url)) {
        events.mayNavigate(params.url);
      }
    },
    'Page.windowOpen': (params: { url: string }) => {
      mayKeepPopup = events.mayOpen(params.url);
    },
    'Inspector.targetCrashed': () => events.crashed(),
  };
  chromium.listen(sessionId, (method, params) => handlers[method]?.(params as never));

  await send('Page.enable');
  await send('Runtime.enable');
  await send('Fetch.enable', { patterns: [{ urlPattern: '*', resourceType: 'Document' }] });
  await send('Emulation.setDeviceMetricsOverride', {
    width,
    height,
    deviceScaleFactor: 1,
    mobile: false,
  });
  await send('Runtime.addBinding', { name: 'standInSend', executionContextName: world });
  const { mainWorld, isolatedWorld } = worldScripts(options.preload);
  await send('Page.addScriptToEvaluateOnNewDocument', { source: mainWorld });
  await send('Page.addScriptToEvaluateOnNewDocument', { source: isolatedWorld, worldName: world });

  return {
    id: targetId,
    get mayKeepPopup() {
      return mayKeepPopup;
    },
    post,
    async navigate(url) {
      ownNavigation = true;
      const { errorText } = await send<{ errorText?: string }>('Page.navigate', { url });
      if (errorText) throw new Error(`${errorText} loading '${url}'`);
    },
    reload() {
      ownNavigation = true;
      void send('Page.reload');
    },
    async evaluate(expression) {
      const answer = await send<{
        result: { value: unknown };
        exceptionDetails?: { exception?: { description: string } };
      }>('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
      const failure = answer.exceptionDetails;
      if (failure) throw new Error(failure.exception?.description ?? 'the script failed');
      return answer.result.value;
    },
    close() {
      chromium.send('Target.closeTarget', { targetId }).catch(() => undefined);
    },
  };
}
