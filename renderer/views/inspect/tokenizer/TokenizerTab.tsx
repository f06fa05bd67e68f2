/** The tab. */
export function TokenizerTab() {
  return <h2>Tokenizer</h2>;
}
