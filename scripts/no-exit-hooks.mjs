// Stands for `when-exit`, which conf brings along to remove its temporary files. It listens to SIGINT and SIGTERM and
// sends the signal a second time, and the second Ctrl+C means "end at once": no run would reach its safe point.
export default () => () => undefined;
