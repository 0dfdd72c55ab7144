package generator

// makers are the functions that may create a connection of another package's type, the best one first.
func (r *resolver) makers() []candidate { return r.constructors() }
