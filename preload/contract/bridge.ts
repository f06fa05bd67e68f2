/** What the preload script gives the page. Absent in the browser shell. */
export interface Bridge {
  /** Asks for a port to the engine; it arrives as a `message` event of the window with data `engine-port`. */
  connect(): void;
  /** The system's folder dialog; null when cancelled. */
  chooseFolder(): Promise<string | null>;
  /** Opens https links outside; anything else is refused. */
  openExternal(url: string): Promise<boolean>;
  readonly platform: string;
}

export const enginePortMessage = 'lathe:engine-port';
