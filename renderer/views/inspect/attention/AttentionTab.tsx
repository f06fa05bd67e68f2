/** The tab. */
export function AttentionTab() {
  return <h2>Attention</h2>;
}
