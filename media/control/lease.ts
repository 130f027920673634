/** Who may command: the node with the newest epoch. */
export class Lease {
  #epoch = 0;
  #node = '';

  get epoch(): number {
    return this.#epoch;
  }

  /** The node that holds it. */
  get node(): string {
    return this.#node;
  }

  /**
   * @param wanted 0 asks for a new epoch; else one that the node had before or was given elsewhere.
   * @returns the epoch granted, or null when a newer one is out, or the same one with another node.
   */
  grant(node: string, wanted: number): number | null {
    const epoch = wanted === 0 ? this.#epoch + 1 : wanted;
    if (epoch < this.#epoch || (epoch === this.#epoch && node !== this.#node)) return null;
    this.#epoch = epoch;
    this.#node = node;
    return epoch;
  }

  /** Whether a command with this epoch is to be obeyed. */
  admits(epoch: number): boolean {
    return epoch === this.#epoch && epoch > 0;
  }
}
