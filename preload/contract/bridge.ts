/** What the preload script gives the page. Absent in the browser shell. */
export interface Bridge {
  /**
   * Asks for a port to the engine. It arrives as a `message` event of the window with
   * `enginePortMessage` as data and the port in `ports`; a fresh one arrives the same way, unasked,
   * whenever the engine was restarted, and replaces the one before.
   */
  connect(): void;
  /** The system's folder dialog; null when cancelled. */
  chooseFolder(): Promise<string | null>;
  /** Opens an https, http or mailto link outside; anything else is refused with false. */
  openExternal(url: string): Promise<boolean>;
  readonly platform: string;
}

/** Name under which the page finds the bridge: `window.lathe`. */
export const bridgeName = 'lathe';

export const enginePortMessage = 'lathe:engine-port';

/** Names under which the preload script reaches the main process. */
export const bridgeChannels = {
  connect: 'lathe:connect',
  chooseFolder: 'lathe:choose-folder',
  openExternal: 'lathe:open-external',
} as const;
