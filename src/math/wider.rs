//! Loops that are compiled a second time, for machines whose registers hold twice as many numbers.
//!
//! What they give is the same to the last bit: several numbers at once are computed as each alone, in the
//! same order, and no product is fused with a sum.

/// Whether the machine has what [`wider`] compiles for.
#[cfg(target_arch = "x86_64")]
pub fn is_wide() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
}

/// Gives what a function gives, by the code that suits the machine. The function, and whatever it spends its
/// time in, has to be `#[inline(always)]`. It is all that the function around it does: it returns from there.
macro_rules! wider {
    ($of:path, ($($argument:ident: $kind:ty),*) $(-> $given:ty)?) => {{
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2,bmi1,bmi2")]
            fn wide($($argument: $kind),*) $(-> $given)? {
                $of($($argument),*)
            }
            if $crate::math::wider::is_wide() {
                // SAFETY: the machine has been asked for all that the function is compiled for.
                return unsafe { wide($($argument),*) };
            }
        }
        $of($($argument),*)
    }};
}
pub(crate) use wider;
