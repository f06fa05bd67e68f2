/** What a model is called where there is little room: a folder by its last part. */
export const shortName = (key: string): string =>
  /^(\/|[A-Za-z]:)/.test(key) ? (key.split(/[/\\]/).findLast((part) => part !== '') ?? key) : key;
