# SPDX-License-Identifier: GPL-3.0-or-later
# Windows-only cmdlets as functions over the lab's server state.json, for a pwsh 7.5+ on Linux. Dot-source it in the runspace
# in which odj_server_probe.ps1 or odj_server_change.ps1 will run, BEFORE the language mode is switched:
#
#   $env:ODJ_SHIM_STATE = '/path/state.json'; . /path/cmdlets.ps1; . /path/odj_server_probe.ps1
#
# Environment: ODJ_SHIM_STATE (state.json, may carry the extra keys below), ODJ_SHIM_ROOT (folder in which the test has laid
# the state's files: C:\A\b -> ROOT/c/a/b), ODJ_SHIM_DLL (where types.cs is compiled to, once).
#
# Extra keys of the state, which the lab's stand-ins do not know: denied_paths, locked_paths, denied_keys (lists);
# cim_types {"ns:Class": {"Property": "uint64"}}; cim_denied [classes]; channels.X.denied; events[].message_error,
# events[].broken_properties; denied_stores (list); certificates[].der / .pfx / .key_old / .key_broken / .key_not_rsa; dns_delay_ms {host: ms, -1 = never};
# connect_delay_ms {address: ms}; user_rights_names {right: [names]} (entries that secedit prints as names); service_flags {name: value of ServiceAccountManaged}.

Set-StrictMode -Off
$odjHere = $PSScriptRoot

# ---- types

if (-not ('OdjShim.World' -as [type])) {
    $odjDll = $env:ODJ_SHIM_DLL
    if (-not $odjDll) { $odjDll = Join-Path ([System.IO.Path]::GetTempPath()) 'OdjShim.dll' }
    if (-not (Test-Path -LiteralPath $odjDll)) {
        # Warnings would count as errors without the switch.
        $odjSource = Get-Content -LiteralPath (Join-Path $odjHere 'types.cs') -Raw
        Add-Type -TypeDefinition $odjSource -OutputAssembly $odjDll -IgnoreWarnings -WarningAction SilentlyContinue
    }
    Add-Type -LiteralPath $odjDll
}

# PowerShell looks into its built-in accelerators before it looks into assemblies: the scripts' own type literals, and
# New-Object -TypeName, then mean our classes. Process-wide, so only in a pwsh that is started for this purpose.
$odjTable = [psobject].Assembly.GetType('System.Management.Automation.TypeAccelerators').GetField('builtinTypeAccelerators', [System.Reflection.BindingFlags]'NonPublic, Static').GetValue($null)
$odjAccelerate = @{
    'Microsoft.Win32.RegistryKey' = [OdjShim.RegistryKey]
    'IO.File' = [OdjShim.File]
    'IO.FileStream' = [OdjShim.FileStream]
    'IO.Path' = [OdjShim.Path]
    'Net.Dns' = [OdjShim.Dns]
    'Security.Principal.NTAccount' = [OdjShim.NTAccount]
    'Security.Principal.SecurityIdentifier' = [OdjShim.SecurityIdentifier]
    'Security.Cryptography.X509Certificates.X509Store' = [OdjShim.X509Store]
    'Security.Cryptography.X509Certificates.RSACertificateExtensions' = [OdjShim.RSACertificateExtensions]
}
foreach ($odjName in $odjAccelerate.Keys) { $odjTable[$odjName] = $odjAccelerate[$odjName] }

# What PowerShell's certificate provider adds on Windows; its own script property needs a class that Linux lacks.
Update-TypeData -Force -TypeName System.Security.Cryptography.X509Certificates.X509Certificate2 -MemberType ScriptProperty -MemberName EnhancedKeyUsageList -Value {
    , @(foreach ($odjExtension in $this.Extensions) {
            if ($odjExtension.Oid.Value -eq '2.5.29.37') { foreach ($odjUse in $odjExtension.EnhancedKeyUsages) { [pscustomobject]@{ FriendlyName = "use $($odjUse.Value)"; ObjectId = $odjUse.Value } } }
        })
}

# ---- state

# -DateKind String: without it PowerShell 7 would make DateTime of every ISO time stamp in the state.
$global:OdjState = Get-Content -LiteralPath $env:ODJ_SHIM_STATE -Raw | ConvertFrom-Json -AsHashtable -DateKind String -Depth 100
[OdjShim.World]::State = $global:OdjState
if ($env:ODJ_SHIM_ROOT) { [OdjShim.World]::Root = $env:ODJ_SHIM_ROOT }
if ($env:ODJ_SHIM_REPLACE -and [OdjShim.World]::ReplaceFaults.Count -eq 0) {
    foreach ($odjFault in $env:ODJ_SHIM_REPLACE.Split(',')) { [OdjShim.World]::ReplaceFaults.Add($odjFault) }
}
if ($global:OdjState['connect_delay_ms']) { $odjTable['Net.Sockets.TcpClient'] = [OdjShim.TcpClient] }
$global:OdjOwn = '^([A-Za-z]:[\\/]|Registry::|Microsoft\.PowerShell\.Security\\Certificate::)'
$global:OdjInherited = 'O:BAG:SYD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)'

function global:Get-OdjValue($table, [string] $name) { [OdjShim.World]::Get($table, $name) }

function global:New-OdjError($exception, [string] $id, [string] $category, $target) {
    [System.Management.Automation.ErrorRecord]::new($exception, $id, [System.Management.Automation.ErrorCategory]$category, $target)
}

function global:New-OdjMissing([string] $path) {
    $text = "Cannot find path '$path' because it does not exist."
    New-OdjError ([System.Management.Automation.ItemNotFoundException]::new($text)) 'PathNotFound' 'ObjectNotFound' $path
}

function global:New-OdjDenied([string] $path, [string] $id) {
    New-OdjError ([System.UnauthorizedAccessException]::new("Access to the path '$path' is denied.")) $id 'PermissionDenied' $path
}

function global:New-OdjKeyDenied([string] $path) {
    New-OdjError ([System.Security.SecurityException]::new('Requested registry access is not allowed.')) 'System.Security.SecurityException' 'PermissionDenied' $path
}

# Registry::HKEY_LOCAL_MACHINE\X -> HKLM\X, as the state writes it.
function global:ConvertTo-OdjKey([string] $path) {
    $key = $path -replace '^(Microsoft\.PowerShell\.Core\\)?Registry::', ''
    ($key -replace '^HKEY_LOCAL_MACHINE', 'HKLM' -replace '^HKEY_USERS', 'HKU').TrimEnd('\')
}

function global:New-OdjKeyItem([string] $key) {
    $values = [OdjShim.RegistryKey]::ValuesOf($key)
    $item = [pscustomobject]@{
        Property = [string[]]@(foreach ($name in $values.get_Keys()) { "$name" })
        Name = $key -replace '^HKLM', 'HKEY_LOCAL_MACHINE' -replace '^HKU', 'HKEY_USERS'
        PSChildName = $key.Substring($key.LastIndexOf('\') + 1)
        PSPath = "Microsoft.PowerShell.Core\Registry::$key"
        PSProvider = 'Registry'
        SubKeyCount = [OdjShim.RegistryKey]::SubKeysOf($key).Count
        ValueCount = $values.Count
    }
    $item.PSTypeNames.Insert(0, 'Microsoft.Win32.RegistryKey')
    $item
}

# As the registry provider reads: strings expanded, a DWord or QWord over the signed range as an unsigned number.
function global:Get-OdjProviderData($value) {
    $data = [OdjShim.RegistryKey]::DataOf($value)
    switch ("$(Get-OdjValue $value 'kind')") {
        'ExpandString' { return [OdjShim.RegistryKey]::Expand($data) }
        'DWord' { if ($data -lt 0) { return [uint32]([long]$data + 4294967296) } return [int]$data }
        'QWord' { return $data }
    }
    , $data
}

function global:New-OdjFileItem([string] $path) {
    if ([OdjShim.World]::FileRecord($path)) {
        $item = [psobject]::new([OdjShim.FileInfo]::new($path))
        $item.PSObject.Properties.Add([psnoteproperty]::new('PSIsContainer', $false))
    }
    else {
        $item = [psobject]::new([OdjShim.DirectoryInfo]::new($path))
        $item.PSObject.Properties.Add([psnoteproperty]::new('PSIsContainer', $true))
    }
    $full = $item.FullName
    $item.PSObject.Properties.Add([psnoteproperty]::new('PSPath', "Microsoft.PowerShell.Core\FileSystem::$full"))
    $item.PSObject.Properties.Add([psnoteproperty]::new('PSChildName', $item.Name))
    $item
}

# ---- items

function global:Get-Item {
    [CmdletBinding()]
    param([Parameter(Position = 0)] [string[]] $Path, [string[]] $LiteralPath, [switch] $Force)
    Set-StrictMode -Off
    $where = "$(if ($LiteralPath) { $LiteralPath[0] } else { $Path[0] })"
    if ($where -notmatch $global:OdjOwn) { return (Microsoft.PowerShell.Management\Get-Item @PSBoundParameters) }
    if ($where -match '^Registry::') {
        $key = ConvertTo-OdjKey $where
        if ([OdjShim.World]::Listed('denied_keys', $key)) { $PSCmdlet.WriteError((New-OdjKeyDenied $where)); return }
        if (-not [OdjShim.RegistryKey]::Exists($key)) { $PSCmdlet.WriteError((New-OdjMissing $where)); return }
        return (New-OdjKeyItem $key)
    }
    if ([OdjShim.World]::Listed('denied_paths', $where)) { $PSCmdlet.WriteError((New-OdjDenied $where 'ItemExistsUnauthorizedAccessError')); return }
    if (-not [OdjShim.World]::FileRecord($where) -and -not [OdjShim.World]::IsDirectory($where)) { $PSCmdlet.WriteError((New-OdjMissing $where)); return }
    New-OdjFileItem $where
}

function global:Get-ItemProperty {
    [CmdletBinding()]
    param([Parameter(Position = 0)] [string[]] $Path, [string[]] $LiteralPath, [Parameter(Position = 1)] [string[]] $Name)
    Set-StrictMode -Off
    $where = "$(if ($LiteralPath) { $LiteralPath[0] } else { $Path[0] })"
    if ($where -notmatch '^Registry::') { return (Microsoft.PowerShell.Management\Get-ItemProperty @PSBoundParameters) }
    $key = ConvertTo-OdjKey $where
    $flag = $null
    if ($key -match '^HKLM\\SYSTEM\\CurrentControlSet\\Services\\([^\\]+)$') {
        $service = $Matches[1]
        $flag = Get-OdjValue (Get-OdjValue $global:OdjState 'service_flags') $service
        $known = Get-OdjValue (Get-OdjValue $global:OdjState 'services') $service
        # The flag that services.exe keeps: the state has it as managed_account; four bytes of REG_BINARY unless told otherwise.
        if ($null -eq $flag -and $null -ne $known) {
            $managed = Get-OdjValue $known 'managed_account'
            if ($null -ne $managed) { $flag = [byte[]]@([byte][bool]$managed, 0, 0, 0) }
        }
        if ($null -ne $flag -and $Name -and $Name -contains 'ServiceAccountManaged') {
            return [pscustomobject]@{ ServiceAccountManaged = $flag; PSPath = $where; PSChildName = $service }
        }
    }
    if ([OdjShim.World]::Listed('denied_keys', $key)) { $PSCmdlet.WriteError((New-OdjKeyDenied $where)); return }
    if (-not [OdjShim.RegistryKey]::Exists($key)) { $PSCmdlet.WriteError((New-OdjMissing $where)); return }
    $values = [OdjShim.RegistryKey]::ValuesOf($key)
    $wanted = @(foreach ($one in $values.get_Keys()) { "$one" })
    if ($Name) {
        foreach ($one in $Name) {
            if ($wanted -notcontains $one) {
                $problem = [System.Management.Automation.PSArgumentException]::new("Property $one does not exist at path $where.")
                $PSCmdlet.WriteError((New-OdjError $problem 'System.Management.Automation.PSArgumentException' 'InvalidArgument' $where))
                return
            }
        }
        $wanted = @($wanted | Where-Object { $Name -contains $_ })
    }
    if ($wanted.Count -eq 0) { return }
    $result = [ordered]@{}
    foreach ($one in $wanted) { $result[$one] = Get-OdjProviderData (Get-OdjValue $values $one) }
    $result['PSPath'] = $where
    $result['PSParentPath'] = $where
    $result['PSChildName'] = $key.Substring($key.LastIndexOf('\') + 1)
    [pscustomobject]$result
}

function global:Get-ChildItem {
    [CmdletBinding()]
    param([Parameter(Position = 0)] [string[]] $Path, [string[]] $LiteralPath, [string] $Filter, [switch] $Force)
    Set-StrictMode -Off
    $where = "$(if ($LiteralPath) { $LiteralPath[0] } else { $Path[0] })"
    if ($where -notmatch $global:OdjOwn) { return (Microsoft.PowerShell.Management\Get-ChildItem @PSBoundParameters) }
    if ($where -match '^Registry::') {
        $key = ConvertTo-OdjKey $where
        if (-not [OdjShim.RegistryKey]::Exists($key)) { $PSCmdlet.WriteError((New-OdjMissing $where)); return }
        foreach ($name in [OdjShim.RegistryKey]::SubKeysOf($key)) {
            if ([OdjShim.World]::Listed('denied_keys', "$key\$name")) { $PSCmdlet.WriteError((New-OdjKeyDenied "$where\$name")); continue }
            New-OdjKeyItem "$key\$name"
        }
        return
    }
    if ($where -match '^Microsoft\.PowerShell\.Security\\Certificate::LocalMachine\\(.+)$') {
        if ([OdjShim.World]::Listed('denied_stores', $Matches[1])) { $PSCmdlet.WriteError((New-OdjDenied $where 'CertificateStoreDenied')); return }
        $rows = Get-OdjValue (Get-OdjValue $global:OdjState 'certificates') $Matches[1]
        if ($null -eq $rows) { $PSCmdlet.WriteError((New-OdjMissing $where)); return }
        foreach ($row in @($rows)) {
            $item = [psobject]::new([OdjShim.X509Store]::Load($row))
            $item
        }
        return
    }
    if ([OdjShim.World]::Listed('denied_paths', $where)) { $PSCmdlet.WriteError((New-OdjDenied $where 'DirUnauthorizedAccessError')); return }
    if ([OdjShim.World]::FileRecord($where)) { return (New-OdjFileItem $where) }
    if (-not [OdjShim.World]::IsDirectory($where)) { $PSCmdlet.WriteError((New-OdjMissing $where)); return }
    $pattern = '*'
    if ($Filter) { $pattern = $Filter }
    $below = [OdjShim.World]::Normal($where).TrimEnd('\')
    $children = [OdjShim.World]::Children($where)
    # The provider hands out the directories first, then the files.
    foreach ($directory in $true, $false) {
        foreach ($entry in $children.GetEnumerator()) {
            if ($entry.Value -eq $directory -and $entry.Key -like $pattern) { New-OdjFileItem "$below\$($entry.Key)" }
        }
    }
}

function global:Get-Content {
    [CmdletBinding()]
    param([Parameter(Position = 0)] [string[]] $Path, [string[]] $LiteralPath, [long] $TotalCount = -1, [switch] $AsByteStream, $Encoding, [switch] $Raw, [long] $ReadCount)
    Set-StrictMode -Off
    $where = "$(if ($LiteralPath) { $LiteralPath[0] } else { $Path[0] })"
    if ($where -notmatch '^[A-Za-z]:[\\/]') { return (Microsoft.PowerShell.Management\Get-Content @PSBoundParameters) }
    $given = @{} + $PSBoundParameters
    $given['LiteralPath'] = [OdjShim.World]::Map($where)
    Microsoft.PowerShell.Management\Get-Content @given
}

function global:Get-FileHash {
    [CmdletBinding()]
    param([Parameter(Position = 0)] [string[]] $Path, [string[]] $LiteralPath, [System.IO.Stream] $InputStream, [string] $Algorithm = 'SHA256')
    Set-StrictMode -Off
    $given = @{} + $PSBoundParameters
    if ($LiteralPath -and $LiteralPath[0] -match '^[A-Za-z]:[\\/]') {
        if ([OdjShim.World]::Listed('locked_paths', $LiteralPath[0])) {
            $problem = [System.IO.IOException]::new("The process cannot access the file '$($LiteralPath[0])' because it is being used by another process.", -2147024864)
            $PSCmdlet.WriteError((New-OdjError $problem 'FileReadError' 'ReadError' $LiteralPath[0]))
            return
        }
        $given['LiteralPath'] = [OdjShim.World]::Map($LiteralPath[0])
    }
    Microsoft.PowerShell.Utility\Get-FileHash @given
}

function global:Get-Acl {
    [CmdletBinding()]
    param([Parameter(Position = 0)] [string[]] $Path, [string[]] $LiteralPath)
    Set-StrictMode -Off
    $where = "$(if ($LiteralPath) { $LiteralPath[0] } else { $Path[0] })"
    if ([OdjShim.World]::Listed('denied_paths', $where)) { $PSCmdlet.WriteError((New-OdjDenied $where 'GetAcl_UnauthorizedAccessException')); return }
    $sddl = $null
    foreach ($store in @((Get-OdjValue $global:OdjState 'certificates').Values)) {
        foreach ($row in @($store)) { if ($row -and "$(Get-OdjValue $row 'key_file')" -eq $where) { $sddl = "$(Get-OdjValue $row 'key_sddl')" } }
    }
    $record = [OdjShim.World]::FileRecord($where)
    if ($null -eq $sddl -and $record) { $sddl = "$(Get-OdjValue $record 'sddl')" }
    # "sddl_next": what a second look finds, to see what the change script makes of a list that did not survive.
    if ($record -and $global:OdjAsked -contains $where -and (Get-OdjValue $record 'sddl_next')) { $sddl = "$(Get-OdjValue $record 'sddl_next')" }
    $global:OdjAsked = @($global:OdjAsked) + $where
    if ($null -eq $sddl -and [OdjShim.World]::IsDirectory($where)) { $sddl = $global:OdjInherited }
    if ($null -eq $sddl) {
        $problem = [System.Management.Automation.ItemNotFoundException]::new("Cannot find path '$where' because it does not exist.")
        $PSCmdlet.WriteError((New-OdjError $problem 'GetAcl_PathNotFound_Exception' 'ObjectNotFound' $where))
        return
    }
    # As PowerShell 7 hands it to a task: without the property Sddl, whose file of types nobody has loaded there.
    $result = [pscustomobject]@{ Path = "Microsoft.PowerShell.Core\FileSystem::$where"; Owner = 'BUILTIN\Administrators'; Group = 'NT AUTHORITY\SYSTEM' }
    $result.PSObject.Methods.Add([psscriptmethod]::new('GetSecurityDescriptorSddlForm', { param($sections) $sddl }.GetNewClosure()))
    $result.PSTypeNames.Insert(0, 'System.Security.AccessControl.FileSecurity')
    $result
}
$global:OdjAsked = @()

function global:Get-AuthenticodeSignature {
    [CmdletBinding()]
    param([string[]] $LiteralPath)
    Set-StrictMode -Off
    $record = [OdjShim.World]::FileRecord($LiteralPath[0])
    if (-not $record) {
        $problem = [System.IO.FileNotFoundException]::new("File $($LiteralPath[0]) was not found.")
        $PSCmdlet.WriteError((New-OdjError $problem 'SignatureCommandsBaseFileNotFound' 'ObjectNotFound' $LiteralPath[0]))
        return
    }
    $facts = Get-OdjValue $record 'signature'
    $status = [System.Management.Automation.SignatureStatus]::NotSigned
    $signer = $null
    $stamper = $null
    if ($facts) {
        $status = [System.Management.Automation.SignatureStatus][int](Get-OdjValue $facts 'status')
        if (Get-OdjValue $facts 'thumbprint') {
            $end = [OdjShim.World]::Time("$(Get-OdjValue $facts 'not_after')")
            $signer = [pscustomobject]@{
                Subject = Get-OdjValue $facts 'subject'; Issuer = Get-OdjValue $facts 'issuer'
                Thumbprint = Get-OdjValue $facts 'thumbprint'; NotAfter = $end.ToLocalTime()
            }
        }
        if (Get-OdjValue $facts 'timestamped') { $stamper = [pscustomobject]@{ Subject = 'CN=Time' } }
    }
    [pscustomobject]@{ Status = $status; StatusMessage = 'localised'; SignerCertificate = $signer; TimeStamperCertificate = $stamper; SignatureType = 'Authenticode'; IsOSBinary = $false; Path = $LiteralPath[0] }
}

# ---- CIM

function global:New-OdjCimError([string] $text, [long] $code, [string] $category, [string] $target) {
    New-OdjError ([OdjShim.CimException]::new($text, $code)) ('HRESULT 0x{0:x8}' -f $code) $category $target
}

# Rows of a class as Windows types them, or $null where there is no such class.
function global:Get-OdjCimRows([string] $namespace, [string] $class) {
    $state = $global:OdjState
    $full = "$namespace`:$class"
    $written = Get-OdjValue $state 'cim'
    foreach ($name in @($written.Keys)) {
        if ("$name" -ne $full) { continue }
        $types = Get-OdjValue (Get-OdjValue $state 'cim_types') $full
        foreach ($row in @($written[$name])) {
            $typed = @{}
            foreach ($key in @($row.Keys)) {
                $value = $row[$key]
                $type = "$(Get-OdjValue $types $key)"
                if ($null -ne $value -and $type -eq 'datetime') { $value = [OdjShim.World]::Time($value).ToLocalTime() }
                elseif ($null -ne $value -and $type -like '*[[]]') { $value = @($value) -as ([type]$type) }
                elseif ($null -ne $value -and $type) { $value = $value -as ([type]$type) }
                $typed[$key] = $value
            }
            $typed
        }
        return
    }
    if ($namespace -ne 'root\cimv2') { return }
    $member = (Get-OdjValue $state 'domain_role') -notin 0, 2
    $role = Get-OdjValue $state 'domain_role'
    switch ($class) {
        'Win32_Service' {
            $services = Get-OdjValue $state 'services'
            foreach ($name in @($services.Keys)) {
                $record = $services[$name]
                @{
                    Name = "$name"; DisplayName = Get-OdjValue $record 'display_name'; State = Get-OdjValue $record 'state'
                    StartMode = Get-OdjValue $record 'start_mode'; DelayedAutoStart = [bool](Get-OdjValue $record 'delayed')
                    StartName = Get-OdjValue $record 'start_name'; PathName = Get-OdjValue $record 'path'
                    ProcessId = [uint32](Get-OdjValue $record 'process_id'); ExitCode = [uint32](Get-OdjValue $record 'exit_code')
                    ServiceSpecificExitCode = [uint32](Get-OdjValue $record 'service_exit_code')
                    AcceptStop = $true; Started = ((Get-OdjValue $record 'state') -eq 'Running'); Status = 'OK'; Description = Get-OdjValue $record 'description'
                }
            }
        }
        'Win32_ComputerSystem' {
            $domain = 'WORKGROUP'
            if ($member) { $domain = Get-OdjValue $state 'domain' }
            @{
                Name = Get-OdjValue $state 'name'; DNSHostName = "$(Get-OdjValue $state 'fqdn')".Split('.')[0]; Domain = $domain
                PartOfDomain = [bool]$member; DomainRole = [uint16]$role; TotalPhysicalMemory = [uint64]8589934592
            }
        }
        'Win32_OperatingSystem' {
            $os = Get-OdjValue $state 'os'
            $boot = [datetime]::new(1970, 1, 1, 0, 0, 0, [System.DateTimeKind]::Utc).AddTicks([long]([double](Get-OdjValue $state 'boot_time') * 10000000)).ToLocalTime()
            @{
                Version = Get-OdjValue $os 'version'; BuildNumber = Get-OdjValue $os 'build'; ProductType = [uint32](Get-OdjValue $os 'product_type')
                LastBootUpTime = $boot; FreePhysicalMemory = [uint64]4000000
            }
        }
        default { 'no class' }
    }
}

function global:Get-CimInstance {
    [CmdletBinding()]
    param([Parameter(Position = 0)] [string] $ClassName, [string] $Namespace = 'root\cimv2', [string] $Filter, [string[]] $Property, [uint32] $OperationTimeoutSec)
    Set-StrictMode -Off
    $place = $Namespace.Replace('/', '\')
    $target = "$place`:$ClassName"
    if (@(Get-OdjValue $global:OdjState 'cim_denied') -contains $ClassName) {
        $PSCmdlet.WriteError((New-OdjCimError 'Access denied ' 2147749891 'PermissionDenied' $target)); return
    }
    $spaces = @('root\cimv2') + @(foreach ($key in @((Get-OdjValue $global:OdjState 'cim').Keys)) { "$key".Substring(0, "$key".LastIndexOf(':')) })
    if ($spaces -notcontains $place) {
        $PSCmdlet.WriteError((New-OdjCimError 'Invalid namespace ' 2147749902 'MetadataError' $target)); return
    }
    $known = $false
    foreach ($key in @((Get-OdjValue $global:OdjState 'cim').Keys)) { if ("$key" -eq $target) { $known = $true } }
    $rows = @(Get-OdjCimRows $place $ClassName)
    if (-not $known -and ($place -ne 'root\cimv2' -or ($rows.Count -eq 1 -and $rows[0] -is [string]))) {
        $PSCmdlet.WriteError((New-OdjCimError 'Invalid class ' 2147749904 'MetadataError' $target)); return
    }
    # SELECT of a property that the class has not is an invalid query.
    foreach ($one in @($Property | Where-Object { $_ })) {
        if ($rows.Count -gt 0 -and @($rows[0].Keys) -notcontains $one) {
            $PSCmdlet.WriteError((New-OdjCimError 'Invalid query ' 2147749911 'InvalidArgument' $target)); return
        }
    }
    foreach ($row in $rows) {
        try { $fits = [OdjShim.Wql]::Holds($row, $Filter) }
        catch { $PSCmdlet.WriteError((New-OdjCimError 'Invalid query ' 2147749911 'InvalidArgument' $target)); return }
        if (-not $fits) { continue }
        # Properties that were not asked for are there and empty, as with the real cmdlet.
        $shown = [ordered]@{}
        foreach ($key in @($row.Keys)) {
            $shown[$key] = $null
            if (-not $Property -or $Property -contains $key) { $shown[$key] = $row[$key] }
        }
        $shown['PSComputerName'] = $null
        $shown['CimClass'] = $target
        $instance = [pscustomobject]$shown
        $instance.PSTypeNames.Insert(0, "Microsoft.Management.Infrastructure.CimInstance#$($place.Replace('\', '/'))/$ClassName")
        $instance
    }
}

# ---- events

function global:Get-WinEvent {
    [CmdletBinding()]
    param([string[]] $ListLog, [string[]] $LogName, [string] $FilterXPath = '*', [long] $MaxEvents = -1, [switch] $Oldest)
    Set-StrictMode -Off
    $wanted = "$(if ($ListLog) { $ListLog[0] } else { $LogName[0] })"
    $channels = Get-OdjValue $global:OdjState 'channels'
    $channel = Get-OdjValue $channels $wanted
    if ($null -eq $channel) {
        $problem = [System.Exception]::new("There is not an event log on the localhost computer that matches ""$wanted"".")
        $PSCmdlet.WriteError((New-OdjError $problem 'NoMatchingLogsFound' 'ObjectNotFound' $wanted)); return
    }
    $rows = @(Get-OdjValue $channel 'events' | Where-Object { $_ })
    if ($ListLog) {
        if (Get-OdjValue $channel 'denied') {
            $problem = [System.UnauthorizedAccessException]::new("To access the '$wanted' log start PowerShell with elevated user rights.")
            $PSCmdlet.WriteError((New-OdjError $problem 'LogInfoNoAccess' 'PermissionDenied' $wanted)); return
        }
        $result = [pscustomobject]@{ LogName = $wanted; IsEnabled = [bool](Get-OdjValue $channel 'enabled'); LogMode = 'Circular'; MaximumSizeInBytes = 1052672L; RecordCount = [long]$rows.Count }
        if (Get-OdjValue $channel 'count_unknown') { $result.RecordCount = $null }
        return $result
    }
    if ((Get-OdjValue $channel 'denied') -or (Get-OdjValue $channel 'denied_events')) {
        # EventLogReader throws: a terminating error, whatever -ErrorAction says.
        $problem = [System.UnauthorizedAccessException]::new('Attempted to perform an unauthorized operation.')
        $PSCmdlet.ThrowTerminatingError((New-OdjError $problem 'System.UnauthorizedAccessException' 'NotSpecified' $null))
    }
    $now = [System.DateTimeOffset]::UtcNow.ToUnixTimeMilliseconds() / 1000.0 + [double](Get-OdjValue $global:OdjState 'clock_offset_seconds')
    try { $fitting = @($rows | Where-Object { [OdjShim.EventQuery]::Matches($_, $wanted, $FilterXPath, $now) }) }
    catch {
        $inner = $_.Exception
        while ($inner.InnerException) { $inner = $inner.InnerException }
        # From the constructor of EventLogReader: terminating, with the class as the error id.
        $PSCmdlet.ThrowTerminatingError((New-OdjError $inner "System.Diagnostics.Eventing.Reader.$($inner.GetType().Name)" 'NotSpecified' $null))
    }
    if ($rows.Count -eq 0 -and $FilterXPath -ne '*') {
        # An empty log still refuses a query that it cannot read.
        try { $null = [OdjShim.EventQuery]::Matches(@{ id = 0; time = '2026-01-01T00:00:00Z'; record_id = 0 }, $wanted, $FilterXPath, $now) }
        catch { $PSCmdlet.ThrowTerminatingError((New-OdjError ([OdjShim.EventLogException]::new('The specified query is invalid', 15001)) 'System.Diagnostics.Eventing.Reader.EventLogException' 'NotSpecified' $null)) }
    }
    $sorted = @($fitting | Sort-Object -Property { [long](Get-OdjValue $_ 'record_id') } -Descending:(-not $Oldest))
    $given = 0
    foreach ($row in $sorted) {
        if ($MaxEvents -ne -1 -and $given -ge $MaxEvents) { break }
        $record = [OdjShim.EventLogRecord]::new()
        $record.Id = [int](Get-OdjValue $row 'id')
        $level = Get-OdjValue $row 'level'
        if ($null -ne $level) { $record.Level = [byte]$level }
        $record.TimeCreated = [OdjShim.World]::Time("$(Get-OdjValue $row 'time')").ToLocalTime()
        $record.RecordId = [long](Get-OdjValue $row 'record_id')
        $record.ProviderName = "$(Get-OdjValue $row 'provider')"
        $record.LogName = $wanted
        if (Get-OdjValue $row 'user_sid') { $record.UserId = [OdjShim.SidOfUser]::new("$(Get-OdjValue $row 'user_sid')") }
        $record.BrokenProperties = [bool](Get-OdjValue $row 'broken_properties')
        foreach ($one in @(Get-OdjValue $row 'properties')) { if ($null -ne $one) { $record.Add($one) } }
        $shown = [psobject]::new($record)
        $text = "$(Get-OdjValue $row 'message')"
        if (Get-OdjValue $row 'message_error') {
            $problem = [OdjShim.EventLogException]::new('The locale specific resource for the desired message is not present', 15033)
            $PSCmdlet.WriteError((New-OdjError $problem $problem.Message 'NotSpecified' $null))
            $text = ''
        }
        $shown.PSObject.Properties.Add([psnoteproperty]::new('Message', $text))
        $shown
        $given++
    }
    if ($given -eq 0) {
        $problem = [System.Exception]::new('No events were found that match the specified selection criteria.')
        $PSCmdlet.WriteError((New-OdjError $problem 'NoMatchingEventsFound' 'ObjectNotFound' $null))
    }
}

# ---- the rest

function global:Get-Date {
    [CmdletBinding()]
    param()
    (Microsoft.PowerShell.Utility\Get-Date).AddSeconds([double](Get-OdjValue $global:OdjState 'clock_offset_seconds'))
}

function global:Import-Module {
    [CmdletBinding()]
    param([Parameter(Position = 0)] [string[]] $Name)
    if ($Name -contains 'Microsoft.PowerShell.Security') { return }
    Microsoft.PowerShell.Core\Import-Module @PSBoundParameters
}

# No waiting; what would have been waited for is kept.
$global:OdjSlept = @()
function global:Start-Sleep {
    [CmdletBinding()]
    param([Parameter(Position = 0)] [double] $Seconds, [int] $Milliseconds)
    $global:OdjSlept = @($global:OdjSlept) + ($Seconds * 1000 + $Milliseconds)
}

# Constrained language only: errors as PowerShell 7 makes them.
function global:Invoke-WebRequest {
    [CmdletBinding()]
    param([Parameter(Position = 0)] [uri] $Uri, [string] $Method, [switch] $UseBasicParsing, [int] $MaximumRedirection, [int] $TimeoutSec, [uri] $Proxy)
    Set-StrictMode -Off
    $key = "$($Uri.Host):$($Uri.Port)".ToLowerInvariant()
    $entry = Get-OdjValue (Get-OdjValue $global:OdjState 'network') $key
    $connect = Get-OdjValue $entry 'connect'
    $cause = $null
    if ($Proxy) {
        $through = Get-OdjValue (Get-OdjValue $global:OdjState 'proxies') "$($Proxy.Host):$($Proxy.Port)"
        $status = Get-OdjValue $through 'status'
        if ($null -eq $through -or (Get-OdjValue $through 'connect') -eq $false) { $cause = 'ConnectionError' }
        elseif ($status -and $status -ne 200) { $cause = 'ProxyTunnelError' }
        elseif ($connect -ne $true) { $cause = 'ProxyTunnelError'; $status = 502 }
    }
    elseif ($null -eq $entry) { $cause = 'ConnectionError' }
    elseif (@(Get-OdjValue $entry 'addresses').Count -eq 0) { $cause = 'NameResolutionError' }
    elseif ($connect -eq 'timeout') {
        $problem = [System.Threading.Tasks.TaskCanceledException]::new('The request was canceled due to the configured HttpClient.Timeout elapsing.')
        $PSCmdlet.ThrowTerminatingError((New-OdjError $problem 'ConnectionTimeoutReached' 'OperationTimeout' $Uri))
    }
    elseif ($connect -ne $true) { $cause = 'ConnectionError' }
    elseif ($Uri.Scheme -eq 'https' -and $null -eq (Get-OdjValue $entry 'tls')) { $cause = 'SecureConnectionError' }
    if ($cause) {
        $kind = [System.Net.Http.HttpRequestError]$cause
        $code = $null
        if ($status) { $code = [System.Net.HttpStatusCode][int]$status }
        $problem = [System.Net.Http.HttpRequestException]::new($kind, "The request failed: $cause", $null, $code)
        $PSCmdlet.ThrowTerminatingError((New-OdjError $problem 'WebCmdletWebResponseException' 'ConnectionError' $Uri))
    }
    $answer = [int]"0$(Get-OdjValue $entry 'http_status')"
    if ($answer -in 301, 302, 307) {
        $problem = [System.InvalidOperationException]::new('The maximum redirection count has been exceeded.')
        $PSCmdlet.WriteError((New-OdjError $problem 'MaximumRedirectExceeded' 'InvalidOperation' $Uri)); return
    }
    if ($answer -ge 400) {
        $response = [System.Net.Http.HttpResponseMessage]::new([System.Net.HttpStatusCode]$answer)
        $problem = [Microsoft.PowerShell.Commands.HttpResponseException]::new("Response status code does not indicate success: $answer.", $response)
        $PSCmdlet.ThrowTerminatingError((New-OdjError $problem 'WebCmdletWebResponseException' 'InvalidOperation' $Uri))
    }
    [pscustomobject]@{ StatusCode = 200 }
}
