// cohort.i is the one description of the C ABI that every binding is generated from: the header itself, and for each
// language a file of typemaps that say how bytes, handles and events cross without a copy.
%module cohort
%{
#include <cohort/cohort.h>
%}
%include <stdint.i>

#if defined(SWIGGO)
%include "go.i"
#elif defined(SWIGJAVA)
%include "java.i"
#elif defined(SWIGPYTHON)
%include "python.i"
#endif

%include "cohort/cohort.h"
