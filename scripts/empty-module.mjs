// Stands for packages that a library would load only in its own development.
export default {};
