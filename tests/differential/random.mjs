// Random numbers that a seed replays.

export class Random {
  constructor (seed) {
    this.state = seed >>> 0 || 1
  }

  /** A whole number from 0 to below `end`. */
  below (end) {
    this.state ^= this.state << 13
    this.state ^= this.state >>> 17
    this.state ^= this.state << 5
    this.state >>>= 0
    return this.state % end
  }

  pick (list) {
    return list[this.below(list.length)]
  }

  chance (percent) {
    return this.below(100) < percent
  }

  shuffle (list) {
    const out = [...list]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      ;[out[i], out[j]] = [out[j], out[i]]
    }
    return out
  }
}
