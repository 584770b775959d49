// Loaded before the service: its clock is wrong by DRILL_CLOCK_SECONDS, as on a machine without time synchronisation.
const moved = Number(process.env.DRILL_CLOCK_SECONDS) * 1000;
const RealDate = Date;

globalThis.Date = class Date extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + moved);
    else super(...given);
  }

  static now() {
    return RealDate.now() + moved;
  }
};
